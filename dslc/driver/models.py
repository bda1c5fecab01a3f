"""Typed model -> optimised inference graph and NumPy program; first values of parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from dslc.backends.to_numpy import compile_numpy
from dslc.check import elaborate_model
from dslc.check.typed import Literal, ParamSpec, TypedModel
from dslc.diagnostics import Diagnostic, DslcError, Help, Note, Sink
from dslc.driver.frontend import Checked
from dslc.graph import Graph
from dslc.graph.arrays import numpy_dtype
from dslc.lower import lower
from dslc.passes import optimize
from dslc.tensor_type import TensorType
from dslc_runtime.initializers import initialize
from dslc_runtime.program import Program

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A model in inference: what it is, its graph, and its NumPy program."""

    typed: TypedModel
    graph: Graph
    program: Program


def compile_model(typed: TypedModel) -> Compiled:
    """Compile a typed model to NumPy."""
    graph = optimize(lower(typed.body, typed.outputs))
    return Compiled(typed, graph, compile_numpy(graph))


def static_shape(type_: TensorType) -> tuple[int, ...]:
    """The shape of a type without run-time sizes, such as a parameter's."""
    return tuple(dim for dim in type_.shape if isinstance(dim, int))


def initial_params(specs: Mapping[str, ParamSpec], seed: int) -> dict[str, Array]:
    """First values of parameters by key, each from a generator of its own keyed by (seed, key)."""
    return {
        key: initialize(
            key,
            static_shape(spec.type),
            numpy_dtype(spec.type.dtype),
            spec.init.name,
            spec.init.options,
            spec.init.value,
            seed,
        )
        for key, spec in specs.items()
    }


def choose_model(
    checked: Checked,
    name: str | None,
    hypers: Mapping[str, Literal],
    hint: str = "",
    naming: Callable[[str], str] | None = None,
) -> TypedModel:
    """One model of a program, in inference, with hyper-parameters given or their defaults.

    Args:
        hint: what is told of a name that the program declares as something else.
        naming: as for `choose`.

    Raises:
        DslcError: no model or no such model (DL0053), several and no name (DL0054), or hyper-parameters that do not fit.
    """
    scope = checked.file.scope
    own = [known for known in scope.models() if known in scope.definitions]
    # An imported model is meant when it is named, or when there is no other.
    names = own if own and name is None else scope.models()
    chosen = choose("model", names, name, checked.source.name, of_another_kind(checked, name, hint), naming)
    sink = Sink()
    typed = elaborate_model(checked.file.scope, chosen, hypers, training=False, sink=sink)
    sink.raise_errors()
    assert typed is not None, "an elaboration without errors gives a model"
    return typed


def of_another_kind(checked: Checked, name: str | None, hint: str = "") -> tuple[Note | Help, ...]:
    """What a program declares by a name, for a reader who took it for something else; `hint` says what to do then."""
    scope = checked.file.scope
    found = scope.definition(name) if name is not None else None
    kinds = {**dict.fromkeys(scope.trains, "train block"), **dict.fromkeys(scope.datas, "data block")}
    kind = found[1].kind if found is not None else kinds.get(name or "")
    if kind is None:
        return ()
    return (Note(f"`{name}` is a {kind}"), *([Help(hint)] if hint else []))


def choose(
    kind: str,
    names: list[str],
    name: str | None,
    where: str,
    otherwise: tuple[Note | Help, ...] = (),
    naming: Callable[[str], str] | None = None,
) -> str:
    """The one declaration of a kind that is meant.

    Args:
        otherwise: what is told of a name that is none of these.
        naming: how a name is given in Python; by default as on the command line, behind the file.

    Raises:
        DslcError: there is none of that name (DL0053), or there are several and none was named (DL0054).
    """
    shown = ", ".join(f"`{n}`" for n in names)
    if name is not None and name not in names:
        text = f"there is no {kind} named `{name}`" + (f"; there is {shown}" if names else "")
        raise DslcError([Diagnostic("DL0053", text, (), otherwise, where)])
    if name is not None:
        return name
    if not names:
        raise DslcError([Diagnostic("DL0053", f"there is no {kind} in this program", where=where)])
    if len(names) > 1:
        help_ = Help(f"name one: `{naming(names[0]) if naming is not None else f'{where}:{names[0]}'}`")
        raise DslcError([Diagnostic("DL0054", f"there are several {kind}s: {shown}", (), (help_,), where)])
    return names[0]
