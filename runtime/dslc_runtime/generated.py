"""What generated source can reach: kernels by name, sizes, host numbers, and the few functions of its prologue; nothing else."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite, nan
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.clock import Clock
from dslc_runtime.kernels import KERNELS
from dslc_runtime.scalars import divide, power, root
from dslc_runtime.tiles import in_tiles, tile_of

Array: TypeAlias = npt.NDArray[Any]


class NonFiniteError(ArithmeticError):
    """The loss is not finite. It is raised before any state is written, so that all of it is as after the step before."""

    def __init__(self, name: str) -> None:
        super().__init__(f"`{name}` is not finite")
        self.name = name


class NoSizeError(ValueError):
    """A worked-out size is negative or not whole."""

    def __init__(self, which: int) -> None:
        super().__init__(which)
        self.which = which


def load(source: str, clock: Clock | None = None) -> dict[str, Callable[..., Any]]:
    """The functions of a generated module. The text is executed with nothing in reach but what `namespace` lists, and a clock."""
    module = namespace() | (clock.names() if clock is not None else {})
    known = set(module)
    exec(compile(source, "<compiled program>", "exec"), module)
    return {name: value for name, value in module.items() if name not in known}


def namespace() -> dict[str, Any]:
    """All that generated source can reach, and these few functions.

    Kernels go by their names; `NAME_view` is the obvious form, `NAME_bind` the form that is bound once.
    """
    names: dict[str, Any] = {"__builtins__": {}}
    dtypes = {"f16": "f2", "f32": "f4", "f64": "f8", "i8": "i1", "u8": "u1", "i32": "i4", "i64": "i8", "bool": "?"}
    names |= {name: np.dtype(code) for name, code in dtypes.items()}
    names |= {
        "inf": inf,
        "nan": nan,
        "float": float,
        "isfinite": isfinite,
        "ndarray": np.ndarray,
        "dot": np.dot,
        "add_reduce": np.add.reduce,
    }
    names |= {"host_div": divide, "host_pow": power, "host_sqrt": root}
    names |= {
        "as_size": as_size,
        "in_tiles": in_tiles,
        "part": part,
        "poison": poison,
        "tile_of": tile_of,
        "NonFiniteError": NonFiniteError,
    }
    for name, kernel in KERNELS.items():
        assert name not in names, f"the kernel {name} would hide a name of generated source"
        names[name] = kernel.into
        names[f"{name}_view"] = kernel.obvious
        if kernel.bind is not None:
            names[f"{name}_bind"] = kernel.bind
    return names


def as_size(which: int, amount: int, den: int = 1) -> int:
    """A worked-out size; `which` says which, for the message."""
    whole, rest = divmod(amount, den)
    if rest or whole < 0:
        raise NoSizeError(which)
    return whole


def part(flat: Array, offset: int, shape: tuple[int, ...]) -> Array:
    """A part of a packed vector; writing to it writes to the vector."""
    count = 1
    for size in shape:
        count *= size
    return flat[offset : offset + count].reshape(shape)


def poison(array: Array) -> None:
    """Make every element of freed memory one that spoils whatever reads it."""
    if array.dtype.kind == "f":
        array.fill(nan)
    elif array.dtype.kind == "b":
        array.fill(True)
    else:
        array.fill(np.iinfo(array.dtype).max // 3)
