"""The text form of typed models, for `--emit typed` and golden files. Prints; parses nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dslc.check.typed import Body, Initializer, Literal, TypedModel, TypedValue
from dslc.ops.ir import Attr, Data
from dslc.tensor_type import DType


def model_text(model: TypedModel) -> str:
    """A model in one mode: its head, parameters with initialisers, values in order, outputs.

    Values without a name of the user's are numbered ``%0, %1, ...`` in the order they are computed.
    """
    hypers = ", ".join(f"{name} = {literal_text(value)}" for name, value in model.hypers.items())
    mode = "training" if model.body.training else "inference"
    lines = [f"model {model.name}({hypers})  # {mode}"]
    lines += [f"  {line}" for line in body_lines(model.body, model.outputs)]
    return "\n".join(lines) + "\n"


def body_lines(body: Body, outputs: Mapping[str, TypedValue]) -> Iterator[str]:
    """The lines of a body and the outputs it is for."""
    for spec in body.params.values():
        yield f"param {spec.key}: {spec.type} = {initializer_text(spec.init)}"
    names = _names(body)
    for value in body.values:
        if value.op != "param":
            yield f"{names[id(value)]}: {value.type} = {_application(value, names)}"
    for name, value in outputs.items():
        yield f"output {name} = {names[id(value)]}"


def _names(body: Body) -> dict[int, str]:
    """What each value is called: its name where that is its alone, else a number."""
    taken: set[str] = set()
    found: dict[int, str] = {}
    number = 0
    for value in body.values:
        if value.op == "param":
            found[id(value)] = value.attrs.str("key")
        elif value.name and value.name not in taken:
            taken.add(value.name)
            found[id(value)] = value.name
        else:
            found[id(value)] = f"%{number}"
            number += 1
    return found


def _application(value: TypedValue, names: Mapping[int, str]) -> str:
    parts = [names[id(operand)] for operand in value.inputs]
    parts += [f"{name} = {attr_text(attr)}" for name, attr in value.attrs.items()]
    return f"{value.op}({', '.join(parts)})"


def attr_text(attr: Attr) -> str:
    """An attribute as text."""
    if isinstance(attr, tuple):
        return f"[{', '.join(attr_text(item) for item in attr)}]"
    if isinstance(attr, DType):
        return attr.value
    if isinstance(attr, str):
        return f'"{attr}"'
    if isinstance(attr, bool) or attr is None:
        return {True: "true", False: "false", None: "none"}[attr]
    return repr(attr) if isinstance(attr, Data) else str(attr)


def literal_text(value: Literal) -> str:
    """A literal as a program writes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(literal_text(item) for item in value)}]"
    return attr_text(value)


def initializer_text(init: Initializer) -> str:
    """An initialiser as a program writes it."""
    if init.name == "literal":
        return literal_text(init.value)
    options = ", ".join(f"{name} = {literal_text(value)}" for name, value in init.options.items())
    return f"{init.name}({options})"
