"""Facts of a model: inputs, outputs, layers, parameters, and the memory of inference and of a training step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from dslc.check.typed import Literal, TypedModel, TypedTrain
from dslc.driver.frontend import Checked
from dslc.driver.models import choose_model, compile_model, static_shape
from dslc.driver.training import prepare
from dslc.tensor_type import TensorType
from dslc_runtime.program import TensorSpec

NOMINAL = 32  # of every run-time size, where memory is given and no train block says the batch


def describe(checked: Checked, name: str | None) -> dict[str, Any]:
    """Facts of one model as plain data, in the order to print them."""
    typed = choose_model(checked, name, {})
    counts = {key: prod(static_shape(spec.type)) for key, spec in typed.body.params.items()}
    train = next((t for t in checked.file.trains.values() if typed.name in {m.name for m in t.uses.values()}), None)
    return {
        "model": typed.name,
        "doc": typed.doc,
        "hyper-parameters": dict(typed.hypers),
        "inputs": {name: str(value.type) for name, value in typed.body.inputs.items()},
        "outputs": {name: str(value.type) for name, value in typed.outputs.items()},
        "layers": _layers(typed, counts),
        "parameters": {key: {"type": str(spec.type), "count": counts[key]} for key, spec in typed.body.params.items()},
        "parameter count": sum(counts.values()),
        "memory": _memory(typed, train),
    }


def _layers(typed: TypedModel, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "path": layer.path,
            "layer": layer.kind,
            "input": _type(layer.input),
            "output": _type(layer.output),
            "parameters": sum(counts[key] for key in layer.params),
        }
        for layer in typed.body.layers
        if layer.path
    ]


def _type(found: TensorType | None) -> str:
    return "" if found is None else str(found)


def _memory(typed: TypedModel, train: TypedTrain | None) -> dict[str, Any]:
    """Bytes of parameters and of the planned arena, at a batch of the train block's size or a nominal one."""
    program = compile_model(typed).program
    batch = train.batch if train is not None and train.batch is not None else NOMINAL
    sizes = dict.fromkeys(program.face.sizes, batch)
    found: dict[str, Any] = {
        "batch": batch,
        "parameters": _bytes(program.params),
        "inference": program.scratch_bytes(sizes),
    }
    if train is not None:
        prepared = prepare(train)
        step = dict.fromkeys(prepared.step.face.sizes, batch)
        found["training step"] = prepared.step.scratch_bytes(step)
        found["training state"] = sum(array.nbytes for array in prepared.state.arenas.values())
    return found


def _bytes(specs: Mapping[str, TensorSpec]) -> int:
    """The bytes of tensors without run-time sizes."""
    return sum(prod(d for d in s.shape if isinstance(d, int)) * s.dtype.itemsize for s in specs.values())


def text(facts: Mapping[str, Any]) -> str:
    """Facts as `dslc info` prints them."""
    lines = [f"model {facts['model']}{_hypers(facts['hyper-parameters'])}"]
    lines += [f"  {line}" for line in str(facts["doc"]).splitlines()]
    lines += [f"input   {name}: {type_}" for name, type_ in facts["inputs"].items()]
    lines += [f"output  {name}: {type_}" for name, type_ in facts["outputs"].items()]
    rows = [(layer["path"], layer["layer"], layer["output"], f"{layer['parameters']:_}") for layer in facts["layers"]]
    if rows:
        lines += ["", *_table(("layer", "what", "output", "parameters"), rows)]
    params = [(key, spec["type"], f"{spec['count']:_}") for key, spec in facts["parameters"].items()]
    if params:
        lines += ["", *_table(("parameter", "type", "count"), params)]
    lines += ["", f"{facts['parameter count']:_} parameters", *_memory_lines(facts["memory"])]
    return "\n".join(lines)


def _hypers(hypers: Mapping[str, Literal]) -> str:
    return "(" + ", ".join(f"{name} = {value}" for name, value in hypers.items()) + ")" if hypers else ""


def _memory_lines(memory: Mapping[str, Any]) -> list[str]:
    lines = [
        f"memory at batch {memory['batch']}:",
        f"  parameters      {_size(memory['parameters']):>10}",
        f"  inference       {_size(memory['inference']):>10}  beside parameters and inputs",
    ]
    if "training step" in memory:
        lines.append(f"  training step   {_size(memory['training step']):>10}  beside state and inputs")
        lines.append(f"  training state  {_size(memory['training state']):>10}  parameters and the optimizer's slots")
    return lines


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KiB" if count < 1024**2 else f"{count / 1024**2:.1f} MiB"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they need to be; numbers, which come last, to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  ".join(
            c.rjust(w) if i == len(head) - 1 else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    ]
