"""Plain data of the runtime -> Python expressions that make it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dslc.backends.script.bundle import Name


def literal(value: Any, called: Mapping[Name, str]) -> str:
    """An expression for numbers, strings, arrays, element types, containers of them, and records of the runtime.

    Args:
        called: what the classes of records are called in the script.
    """
    match value:
        case np.dtype():
            return f"np.dtype({str(cast('Any', value))!r})"
        case np.ndarray():
            array = cast("npt.NDArray[Any]", value)
            return f"np.array({literal(array.tolist(), called)}, {str(array.dtype)!r})"
        case np.generic():
            return literal(value.item(), called)
        case float() if not isfinite(value):
            return f"float({str(value)!r})"
        case list() | tuple():
            items = [literal(item, called) for item in cast("Sequence[Any]", value)]
            if isinstance(value, list):
                return f"[{', '.join(items)}]"
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        case Mapping():
            pairs = cast("Mapping[str, Any]", value).items()
            return "{" + ", ".join(f"{key!r}: {literal(item, called)}" for key, item in pairs) + "}"
        case _ if is_dataclass(value):
            name = called[type(value).__module__, type(value).__name__]
            given = ", ".join(f"{each.name}={literal(getattr(value, each.name), called)}" for each in fields(value))
            return f"{name}({given})"
        case _:
            return repr(value)


def records(value: Any) -> Iterator[Name]:
    """The classes of the records in a value."""
    match value:
        case list() | tuple():
            for item in cast("Sequence[Any]", value):
                yield from records(item)
        case Mapping():
            yield from records(list(cast("Mapping[str, Any]", value).values()))
        case _ if is_dataclass(value):
            yield type(value).__module__, type(value).__name__
            yield from records([getattr(value, each.name) for each in fields(value)])
        case _:
            return
