"""What a kernel is: one computation on arrays in two forms that must agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Kernel:
    """A computation on arrays.

    Operands are arrays (0-d, non-contiguous and empty ones included) or Python numbers standing for scalar constants.
    Attributes of the operator come by keyword: sizes as ints, element types as `np.dtype`. Both forms are called under
    ``np.errstate(all="ignore")``, which the caller enters once.

    Attributes:
        obvious: the result as a new array (or, for a view, one that may share memory with its operand): clear, and the
            oracle of `into`.
        into: writes the result into `out`, whose content is garbage before, and which may be the very memory of an operand
            that the operator names in `inplace`. A ufunc is its own `into`.
        view: the result of `obvious` is a view of the first operand where its layout allows; `into` copies.
        bind: takes what `into` takes and `work`, the memory that such kernels share (`steps.Work`); gives a function that does
            what `into` does whenever it is called, with the arrays' contents then. None: there is nothing to gain.
    """

    obvious: Callable[..., Any]
    into: Callable[..., Any]
    view: bool = False
    bind: Callable[..., Callable[[], object]] | None = None

    @property
    def pointwise(self) -> bool:
        """Whether it computes parts of its result from the same parts of its operands: a ufunc, if not one of matrices."""
        return isinstance(self.into, np.ufunc) and self.into.signature is None


def of_ufunc(ufunc: np.ufunc) -> Kernel:
    """The kernel of a ufunc, which is both forms at once."""
    return Kernel(ufunc, ufunc)
