"""Facts of models as `dslc info` prints them: text for a terminal, and plain data for JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dslc.check.text import literal_text
from dslc.check.typed import Literal
from dslc.driver.cost import Cost
from dslc.driver.info import LayerFacts, ModelFacts, StepFacts, elements
from dslc.tensor_type import Dim, evaluate

_LONG = 34  # characters of a cost; what is longer is cut, and whole in JSON
_SHORTEST = 8  # characters that a text keeps where a table is wider than the terminal


def facts_text(facts: ModelFacts, width: int | None = None) -> str:
    """Facts as text; tables are at most `width` wide where there is one."""
    head = [f"model {facts.model}{_hypers(facts.hypers)}", *(f"  {line}" for line in facts.doc.splitlines())]
    head += [f"input   {name}: {type_}" for name, type_ in facts.inputs.items()]
    head += [f"output  {name}: {type_}" for name, type_ in facts.outputs.items()]
    parts = ["\n".join(head), _layer_table(facts, width)]
    if facts.parameters:
        rows = [
            (key, f"{type_}{', not trained' * (key in facts.untrained)}", f"{elements(type_):_}")
            for key, type_ in facts.parameters.items()
        ]
        parts.append(_table(("parameter", "type", "count"), rows, 2, width))
    parts += [_flops_table(facts, width), _memory_table(facts, width)]
    parts += [_trained_as(name, facts.model, hypers) for name, hypers in facts.trained_as.items()]
    return "\n\n".join(parts)


def _hypers(hypers: Mapping[str, Literal]) -> str:
    shown = ", ".join(f"{name} = {literal_text(value)}" for name, value in hypers.items())
    return f"({shown})" if hypers else ""


def _trained_as(train: str, model: str, hypers: Mapping[str, Literal]) -> str:
    return f"train block `{train}` uses {model}{_hypers(hypers)}; name it to see that: FILE:{train}"


# ---------------------------------------------------------------------------------------------- tables


def _layer_table(facts: ModelFacts, width: int | None) -> str:
    """Layers with what they are, give and hold; the model's own parameters come last, before the sum."""
    rows = [
        (_label(facts, layer), layer.kind if layer.path else "", _type(layer), f"{layer.parameters:_}")
        for layer in facts.layers
        if layer.path or layer.parameters
    ]
    rows.append(("total", "", "", f"{_count(facts, trained=True):_}"))
    kept = _count(facts, trained=False)
    if kept:
        rows.append(("not trained", "", "", f"{kept:_}"))
    return _table(("layer", "what", "output", "parameters"), rows, 3, width)


def _count(facts: ModelFacts, *, trained: bool) -> int:
    """How many numbers the model learns, or keeps beside them."""
    return sum(elements(type_) for key, type_ in facts.parameters.items() if trained == (key not in facts.untrained))


def _flops_table(facts: ModelFacts, width: int | None) -> str:
    """Operations of each layer, of what the model does besides, and of the rest of a training step."""
    rows = [[_label(facts, layer), _flops(layer.inference.flops, facts)] for layer in facts.layers]
    head = ["FLOPs" + (_at(facts.sizes) if facts.numeric else ""), "inference"]
    sums = ["total", _flops(_sum(layer.inference for layer in facts.layers).flops, facts)]
    if facts.step is not None:
        head.append("training step")
        rows.append([_rest(facts.step), ""])
        for row, cost in zip(rows, _step_costs(facts), strict=True):
            row.append(_flops(cost.flops, facts))
        sums.append(_flops(_sum(_step_costs(facts)).flops, facts))
    return _table(head, [*rows, sums], 1, width)


def _memory_table(facts: ModelFacts, width: int | None) -> str:
    """Bytes of what each layer computes, and what is needed at once, which is less, since values share memory."""
    sizes = facts.sizes
    head = ["memory" + _at(sizes), "inference"]
    rows = [[_label(facts, layer), _bytes(layer.inference.memory, sizes)] for layer in facts.layers]
    planned = ["needed at once", _bytes(facts.planned, sizes)]
    held = ["parameters", _bytes(facts.parameter_bytes, sizes)]
    if facts.step is not None:
        head += ["training step", "kept"]
        rows.append([_rest(facts.step), ""])
        for row, cost in zip(rows, _step_costs(facts), strict=True):
            row += [_bytes(cost.memory, sizes), _bytes(cost.kept, sizes)]
        planned += [_bytes(facts.step.planned, sizes), ""]
        held = ["parameters and slots", held[1], _bytes(facts.step.state, sizes), ""]
    return _table(head, [*rows, planned, held], 1, width)


def _step_costs(facts: ModelFacts) -> list[Cost]:
    """The costs of a training step, layer by layer, then of the rest."""
    assert facts.step is not None
    return [*(layer.step or Cost() for layer in facts.layers), facts.step.rest]


def _label(facts: ModelFacts, layer: LayerFacts) -> str:
    return layer.path or facts.model


def _rest(step: StepFacts) -> str:
    return "loss, optimizer" if step.alone else "loss, optimizer of all"


def _type(layer: LayerFacts) -> str:
    return "" if layer.output is None else str(layer.output)


def _at(sizes: Mapping[str, int]) -> str:
    return f" at {', '.join(f'{name} = {size}' for name, size in sizes.items())}" if sizes else ""


def _sum(costs: Iterable[Cost]) -> Cost:
    return sum(costs, Cost())


def _flops(amount: Dim, facts: ModelFacts) -> str:
    """Operations: a number, or an expression of the run-time sizes, cut where it is long."""
    if facts.numeric:
        amount = evaluate(amount, facts.sizes)
    shown = re.sub(r"\d{4,}", lambda match: f"{int(match[0]):_}", str(amount))
    return shown if len(shown) <= _LONG else f"{shown[:_LONG].rpartition(' + ')[0]} + ..."


def _bytes(amount: Dim, sizes: Mapping[str, int]) -> str:
    """An amount of memory at some sizes."""
    count = evaluate(amount, sizes)
    for unit in ("B", "KiB", "MiB"):
        if count < 1024 or unit == "MiB":
            return f"{count} B" if unit == "B" else f"{count:_.1f} {unit}"
        count /= 1024
    raise AssertionError


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int, width: int | None) -> str:
    """Columns as wide as they need to be: `texts` columns to the left, numbers to the right.

    Where that is wider than `width`, the longest texts are cut, as far as their heads allow.
    """
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    spare = [widths[i] - max(len(head[i]), _SHORTEST) for i in range(texts)]
    while width is not None and sum(widths) + 2 * (len(widths) - 1) > width and max(spare) > 0:
        widest = max((i for i in range(texts) if spare[i] > 0), key=lambda i: widths[i])
        widths[widest] -= 1
        spare[widest] -= 1
    return "\n".join(
        "  ".join(
            _cut(cell, w, keep_end=i == 0).ljust(w) if i < texts else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cut(cell: str, width: int, keep_end: bool) -> str:
    """A text in `width` characters; of a path the end says more than the beginning."""
    if len(cell) <= width:
        return cell
    return f"..{cell[2 - width :]}" if keep_end else f"{cell[: width - 2]}.."


# ---------------------------------------------------------------------------------------------- data


def facts_json(facts: ModelFacts) -> dict[str, Any]:
    """Facts as plain data. Operations are numbers at the sizes that were asked for, else expressions; memory is in bytes."""
    memory: dict[str, Any] = {
        "sizes": dict(facts.sizes),
        "parameters": facts.parameter_bytes,
        "inference": facts.planned,
    }
    flops: dict[str, Any] = {"inference": _amount(_sum(layer.inference for layer in facts.layers).flops, facts)}
    found: dict[str, Any] = {
        "model": facts.model,
        "doc": facts.doc,
        "hyper-parameters": dict(facts.hypers),
        "inputs": {name: str(type_) for name, type_ in facts.inputs.items()},
        "outputs": {name: str(type_) for name, type_ in facts.outputs.items()},
        "layers": [_layer_json(layer, facts) for layer in facts.layers],
        "parameters": {
            key: {"type": str(type_), "count": elements(type_), "trained": key not in facts.untrained}
            for key, type_ in facts.parameters.items()
        },
        "parameter count": _count(facts, trained=True),
        "not trained": _count(facts, trained=False),
        "flops": flops,
        "memory": memory,
    }
    if facts.step is not None:
        found["train"] = facts.step.train
        flops["training step"] = _amount(_sum(_step_costs(facts)).flops, facts)
        memory |= {"training step": facts.step.planned, "training state": facts.step.state}
    return found


def _layer_json(layer: LayerFacts, facts: ModelFacts) -> dict[str, Any]:
    costs = {"inference": layer.inference} | ({} if layer.step is None else {"training step": layer.step})
    memory = {name: evaluate(cost.memory, facts.sizes) for name, cost in costs.items()}
    if layer.step is not None:
        memory["kept"] = evaluate(layer.step.kept, facts.sizes)
    return {
        "path": layer.path,
        "layer": layer.kind,
        "input": "" if layer.input is None else str(layer.input),
        "output": _type(layer),
        "parameters": layer.parameters,
        "flops": {name: _amount(cost.flops, facts) for name, cost in costs.items()},
        "memory": memory,
    }


def _amount(amount: Dim, facts: ModelFacts) -> int | str:
    if facts.numeric or isinstance(amount, int):
        return evaluate(amount, facts.sizes)
    return str(amount)
