"""The programs that examples are statements of, and the types of what an example computes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dslc.check import CheckedFile, check_source
from dslc.diagnostics import InternalError, Sink
from dslc.doc.entry import Entry
from dslc.source import Source

#: The head of a model whose inputs statements may use.
MODEL = """dim B, T
model Example {
  input x: f32[B, 8]
  input seq: f32[B, T, 8]
  input image: f32[B, 28, 28]
  input ids: i64[B]
  output example: f32[B, 8] = x
"""

_TRAIN = """dim B
model Net {
  input x: f32[B, 8]
  output logits: f32[B, 10]
  output p: f32[B]
  output y: f32[B, 4]
  output heard: f32[B, 6, 10]
  logits = x |> fc1: Dense(10)
  p      = logits[:, 0] |> sigmoid
  y      = x |> fc2: Dense(4)
  heard  = reshape(x |> fc3: Dense(60), [B, 6, 10])
}
data rows {
  source = npz("rows.npz")
  split  = { val: 0.1 }
  field x: f32[8]    = source["x"]
  field y: f32[4]    = source["y"]
  field label: i64[] = source["label"]
  field yes: f32[]   = source["yes"]
  field said: i64[3] = source["said"]
  field steps: i64[] = source["steps"]
  field words: i64[] = source["words"]
}
train net {
  use net = Net()
  data    = rows
"""


def program(entry: Entry) -> str:
    """The whole program that an entry's example is part of."""
    if entry.kind in ("data source", "field function"):
        return f"data rows {{\n{entry.example}\n}}\n"
    if entry.kind in ("layer", "function", "initialiser"):
        declared, end, statements = entry.example.rpartition("\n}\n")
        return f"{declared}{end}{MODEL}{statements}\n}}\n"
    if entry.kind == "schedule":
        return f"{_TRAIN}  loss = mse(net.y, data.y)\n  optimizer = sgd({entry.example})\n}}\n"
    if entry.kind == "setting" and entry.group == "data blocks":
        source = "" if entry.name == "source" else 'source = npz("rows.npz")\n'
        return f'data rows {{\n{source}field label: i64[] = source["label"]\n{entry.example}\n}}\n'
    if entry.kind == "setting":
        frame = _TRAIN.replace("  data    = rows\n", "") if entry.name == "data" else _TRAIN
        loss = "" if entry.name == "loss" else "  loss = mse(net.y, data.y)\n"
        return f"{frame}{loss}{entry.example}\n}}\n"
    loss = "" if entry.kind in ("loss", "penalty") else "  loss = mse(net.y, data.y)\n"
    return f"{_TRAIN}{loss}{entry.example}\n}}\n"


def check_example(entry: Entry) -> tuple[CheckedFile, Sink]:
    """The program of an example, checked."""
    return check_source(Source(f"the example of {entry.name}", program(entry)))


def example_lines(entry: Entry) -> Sequence[str]:
    """The lines of an example; what a statement of a model computes has its type behind it, inputs come first."""
    lines = entry.example.splitlines()
    if entry.kind not in ("layer", "function"):
        return lines
    checked, sink = check_example(entry)
    if sink.failed:
        raise InternalError("doc", f"the example of {entry.name}", "; ".join(d.message for d in sink))
    model = checked.models["Example"]
    body, types = model.body, {name: str(value.type) for name, value in model.readable.items()}
    named = {name: value for name, value in body.inputs.items() if re.search(rf"\b{name}\b", entry.example)}
    read = {id(operand) for value in body.values for operand in value.inputs}
    used = [f"{name}: {value.type}" for name, value in named.items() if id(value) in read or len(named) == 1]
    width = max((len(line) for line in lines), default=0)
    found = [f"input {', '.join(used)}"] if used else []
    for line, names in zip(lines, _targets(lines), strict=True):
        shown = ", ".join(types[name] for name in names if name in types)
        found.append(f"{line:{width}}    # {shown}" if shown else line)
    return found


def _targets(lines: Sequence[str]) -> list[list[str]]:
    """The names that each line assigns."""
    return [[name.strip() for name in line.partition(" = ")[0].split(",")] if " = " in line else [] for line in lines]
