"""The functions of fields by name. Each takes the column or the field that messages name, then its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dslc_runtime.data.classes import Classes
from dslc_runtime.data.learning import Transform
from dslc_runtime.data.scaling import Standardize
from dslc_runtime.data.tokens import Tokens
from dslc_runtime.data.windows import Window

TRANSFORMS: Mapping[str, Callable[..., Transform]] = {
    "classes": Classes,
    "tokenize": Tokens,
    "standardize": Standardize,
    "window": Window,
}
