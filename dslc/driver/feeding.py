"""Arrays from a user -> the static input buffers of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.check.near import near, proposed, quoted
from dslc.diagnostics import Diagnostic, DslcError, Help, Note
from dslc_runtime.face import SizeError, TensorSpec
from dslc_runtime.program import Bound, Program

Array = npt.NDArray[Any]


def feed_arrays(
    program: Program, given: Mapping[str, npt.ArrayLike], state: Mapping[str, Array], batch: int = 1
) -> Bound:
    """Bind a program for the sizes of some arrays and copy them into its inputs.

    Numbers are converted where nothing is lost but precision: integers to floats, any integers to any integers. Floats
    never become integers.

    Args:
        batch: the run-time sizes that no input tells.

    Raises:
        DslcError: an input is missing or unknown, or an array has another shape or kind (DL5040).
    """
    arrays = convert(program.inputs, given)
    try:
        sizes = program.sizes_of({name: array.shape for name, array in arrays.items()})
        bound = program.bind({**sizes, **dict.fromkeys(program.free_sizes, batch)}, state)
    except SizeError as error:
        raise DslcError([_wrong(str(error), program.inputs)]) from error
    for name, array in arrays.items():
        np.copyto(bound.inputs[name], array, casting="unsafe")
    return bound


def convert(specs: Mapping[str, TensorSpec], given: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
    """The arrays of all inputs, in the element types of their specs.

    Raises:
        DslcError: an input is missing or unknown, or its elements are of another kind (DL5040).
    """
    unknown = [name for name in given if name not in specs]
    if unknown:
        helps = proposed(near(unknown[0], specs))
        raise DslcError([_wrong(f"there is no input `{unknown[0]}`", specs, *helps)])
    missing = [name for name in specs if name not in given]
    if missing:
        raise DslcError([_wrong(f"no array is given for {quoted(missing, 'and')}", specs)])
    return {name: _typed(name, spec, given[name], specs) for name, spec in specs.items()}


def require_names(unnamed: Sequence[object], specs: Mapping[str, TensorSpec]) -> None:
    """Refuse inputs that are given by their places.

    Raises:
        DslcError: there is one (DL5040).
    """
    if unnamed:
        names = ", ".join(f"{name}=..." for name in specs)
        raise DslcError([_wrong("inputs are given by their names", specs, Help(f"write `net({names})`"))])


def _typed(name: str, spec: TensorSpec, value: npt.ArrayLike, specs: Mapping[str, TensorSpec]) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DslcError([_wrong(f"the rows given for `{name}` differ in length", specs)]) from error
    if not _converts(array.dtype, spec.dtype):
        raise DslcError([_wrong(f"`{name}` takes {spec.dtype} values, not {array.dtype}", specs)])
    return array if array.dtype == spec.dtype else array.astype(spec.dtype)


def _converts(have: np.dtype[Any], want: np.dtype[Any]) -> bool:
    order = "biuf"  # booleans, integers, floats
    if have.kind not in order:
        return False
    if want.kind == "b":
        return have.kind == "b"
    return want.kind == "f" or have.kind != "f"


def _wrong(text: str, specs: Mapping[str, TensorSpec], *helps: Note | Help) -> Diagnostic:
    shapes = ", ".join(f"`{name}` {spec.dtype}[{', '.join(map(str, spec.shape))}]" for name, spec in specs.items())
    return Diagnostic("DL5040", text, (), (*helps, Note(f"the inputs are {shapes}")))
