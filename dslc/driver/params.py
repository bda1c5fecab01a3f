"""The parameters of a model as a dict whose arrays stay the same memory, whatever is assigned to its keys.

A compiled program is bound to its parameters where they lie, and a trainer's models share them. So an assignment copies into
the array that is there, and keys are neither added nor removed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.diagnostics import Diagnostic, DslcError, Help
from dslc_runtime.errors import near_name

Array = npt.NDArray[Any]


class Params(dict[str, Array]):
    """Parameters by key.

    Raises:
        DslcError: what is assigned has an unknown key, or cannot be broadcast or converted to its array (DL5042).
    """

    def __setitem__(self, key: str, value: npt.ArrayLike) -> None:
        if key not in self:
            help_ = near_name(key, self)
            raise _wrong(f"there is no parameter `{key}`", *([Help(help_)] if help_ else []))
        mine = self[key]
        try:
            given = np.asarray(value)
            fits = given.shape in ((), mine.shape) and np.can_cast(given.dtype, mine.dtype, "same_kind")
        except ValueError as error:
            raise _wrong(f"what is assigned to `{key}` is no array of numbers") from error
        if not fits:
            shape = ", ".join(map(str, given.shape))
            raise _wrong(f"`{key}` is {mine.dtype}{list(mine.shape)}, what is assigned to it is {given.dtype}[{shape}]")
        mine[...] = given

    def update(self, *others: Any, **more: npt.ArrayLike) -> None:
        """Assign several."""
        for key, value in dict(*others, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> Params:
        self.update(other)
        return self

    def _fixed(self: Any, *_: Any) -> Any:
        raise _wrong("a model's parameters are neither added nor removed")

    __delitem__ = clear = pop = popitem = setdefault = _fixed


def _wrong(text: str, *helps: Help) -> DslcError:
    return DslcError([Diagnostic("DL5042", text, (), helps)])
