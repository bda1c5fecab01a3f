"""Facts of a model: inputs, outputs, layers with parameters and costs, and the memory of inference and of a training step.

Input: a checked program. Output: `ModelFacts`; `info_text` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from dslc.backends.pieces import update_in_pieces
from dslc.backends.to_numpy import compile_numpy
from dslc.check.near import near, proposed, quoted
from dslc.check.typed import Body, LayerInfo, Literal, TypedModel
from dslc.diagnostics import Diagnostic, DslcError, Note
from dslc.driver.cost import Cost, cost_by_layer
from dslc.driver.frontend import Checked
from dslc.driver.models import choose_model, static_shape
from dslc.driver.training import Prepared, prepare
from dslc.lower import lower
from dslc.passes import optimize
from dslc.tensor_type import TensorType, symbols
from dslc_runtime.face import SizeError
from dslc_runtime.program import Program

NOMINAL = 32  # of every run-time size that nothing says


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer; "" is the path of the model itself. Costs are those of what it does besides the layers inside it.

    Attributes:
        parameters: how many numbers it learns; buffers are not among them.
        step: what it costs in a training step, forward and backward; None where nothing trains the model.
    """

    path: str
    kind: str
    input: TensorType | None
    output: TensorType | None
    parameters: int
    inference: Cost
    step: Cost | None


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A training step of the train block that trains the model as it is.

    Attributes:
        train: the block's name.
        alone: whether it trains this model only.
        rest: the cost of the loss, the metrics and the optimizer.
        state: bytes of parameters, buffers and the optimizer's slots.
        planned: bytes of all other values at once, inputs among them: values share memory.
    """

    train: str
    alone: bool
    rest: Cost
    state: int
    planned: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Everything that is told of a model.

    Attributes:
        parameters: the type of each by key, buffers among them.
        untrained: the keys of buffers and of other numbers that no gradient changes.
        sizes: the run-time sizes that memory is given for.
        numeric: whether somebody asked for these sizes, so that costs are told for them too.
        parameter_bytes: of all parameters and buffers.
        planned: bytes of all other values of inference at once, inputs among them: values share memory.
        trained_as: how train blocks use the model where that is with other hyper-parameters, by the block's name.
    """

    model: str
    doc: str
    hypers: Mapping[str, Literal]
    inputs: Mapping[str, TensorType]
    outputs: Mapping[str, TensorType]
    layers: tuple[LayerFacts, ...]
    parameters: Mapping[str, TensorType]
    untrained: frozenset[str]
    sizes: Mapping[str, int]
    numeric: bool
    parameter_bytes: int
    planned: int
    step: StepFacts | None
    trained_as: Mapping[str, Mapping[str, Literal]]


def describe(
    checked: Checked, name: str | None, batch: int | None = None, sizes: Mapping[str, int] | None = None
) -> list[ModelFacts]:
    """Facts of a model; of a train block, those of each model it uses, as it uses them.

    Args:
        batch: the number of samples, for every size that begins an input.
        sizes: run-time sizes by name. With any of the two, costs are numbers.

    Raises:
        DslcError: there is no such model (DL0053, DL0054), or no such size (DL6041).
    """
    if name in checked.file.trains:
        train = checked.file.trains[name]
        prepared = prepare(train, start=False)
        return [_model(checked, typed, (prepared, use), batch, sizes or {}) for use, typed in train.uses.items()]
    typed = choose_model(checked, name, {})
    uses = ((train, use) for train in checked.file.trains.values() for use in train.uses)
    found = next(((train, use) for train, use in uses if _is_same(typed, train.uses[use])), None)
    return [
        _model(
            checked, typed, None if found is None else (prepare(found[0], start=False), found[1]), batch, sizes or {}
        )
    ]


def _is_same(a: TypedModel, b: TypedModel) -> bool:
    """Whether two elaborations of a model compute the same: hyper-parameters may be layers, which cannot be compared."""
    return a.name == b.name and dict(a.hypers) == dict(b.hypers) and _operations(a.body) == _operations(b.body)


def _operations(body: Body) -> list[object]:
    """What a body computes, one operation after another."""
    return [(v.op, v.type, v.attrs, None if v.cell is None else _operations(v.cell.body)) for v in body.values]


def _model(
    checked: Checked,
    typed: TypedModel,
    training: tuple[Prepared, str] | None,
    batch: int | None,
    given: Mapping[str, int],
) -> ModelFacts:
    graph = optimize(lower(typed.body, typed.outputs))
    program = compile_numpy(graph)
    sizes = _sizes(typed, program, None if training is None else training[0], batch, given)
    planned = _planned(program, sizes)
    inference = {path or "": cost for path, cost in cost_by_layer(graph).items()}
    step, steps = (None, None) if training is None else _training(*training, sizes)
    return ModelFacts(
        model=typed.name,
        doc=typed.doc,
        hypers=typed.hypers,
        inputs={name: value.type for name, value in typed.body.inputs.items()},
        outputs={name: value.type for name, value in typed.outputs.items()},
        layers=tuple(_layers(typed, inference, steps)),
        parameters={key: spec.type for key, spec in typed.body.params.items()},
        untrained=frozenset(key for key, spec in typed.body.params.items() if not spec.trainable),
        sizes=sizes,
        numeric=batch is not None or bool(given),
        parameter_bytes=sum(elements(spec.type) * spec.type.dtype.bytes for spec in typed.body.params.values()),
        planned=planned,
        step=step,
        trained_as=_trained_as(checked, typed) if training is None else {},
    )


def elements(type_: TensorType) -> int:
    """How many numbers a tensor without run-time sizes holds."""
    return prod(static_shape(type_))


def _trained_as(checked: Checked, typed: TypedModel) -> dict[str, Mapping[str, Literal]]:
    uses = ((train.name, model) for train in checked.file.trains.values() for model in train.uses.values())
    return {name: model.hypers for name, model in uses if model.name == typed.name}


# ---------------------------------------------------------------------------------------------- layers


def _layers(typed: TypedModel, inference: Mapping[str, Cost], step: Mapping[str, Cost] | None) -> Iterator[LayerFacts]:
    """The layers in the order they are applied, the model itself last; those that share a path are one."""
    infos: dict[str, LayerInfo] = {}
    for info in typed.body.layers:
        infos.setdefault(info.path, info)
    infos[""] = infos.pop("")
    by_layer = _gathered(inference, infos)
    by_layer_in_step = None if step is None else _gathered(step, infos)
    for path, info in infos.items():
        count = sum(elements(spec.type) for key in info.params if (spec := typed.body.params[key]).trainable)
        cost = None if by_layer_in_step is None else by_layer_in_step[path]
        yield LayerFacts(path, info.kind, info.input, info.output, count, by_layer[path], cost)


def _gathered(costs: Mapping[str, Cost], known: Mapping[str, LayerInfo]) -> dict[str, Cost]:
    """The costs of the known layers; what is inside them and has no facts of its own is theirs."""
    found = dict.fromkeys(known, Cost())
    for path, cost in costs.items():
        home = path
        while home not in known:
            home = home.rpartition(".")[0]
        found[home] += cost
    return found


def _training(prepared: Prepared, use: str, sizes: Mapping[str, int]) -> tuple[StepFacts, dict[str, Cost]]:
    """A training step, and what the layers of one of its models cost in it."""
    train = prepared.typed
    by_layer: dict[str | None, Cost] = {}
    for graph in (*prepared.graphs.steps, *prepared.graphs.applied):
        for path, cost in cost_by_layer(update_in_pieces(optimize(graph))).items():
            by_layer[path] = by_layer.get(path, Cost()) + cost
    planned = max(_planned(program, sizes) for program in (*prepared.steps, *prepared.applied))
    state = sum(array.nbytes for array in prepared.state.arenas.values())
    facts = StepFacts(train.name, len(train.uses) == 1, by_layer.pop(None, Cost()), state, planned)
    prefix = train.prefix(use)
    inside = {f"{path}."[len(prefix) : -1]: cost for path, cost in by_layer.items() if f"{path}.".startswith(prefix)}
    return facts, inside


# ---------------------------------------------------------------------------------------------- sizes


def _sizes(
    typed: TypedModel,
    program: Program,
    training: Prepared | None,
    batch: int | None,
    given: Mapping[str, int],
) -> dict[str, int]:
    """A number for every run-time size: what is given, else the batch for those that begin an input, else a nominal one.

    Sizes that a training step alone has are those of its batch.
    """
    steps = () if training is None else training.steps
    names = list(dict.fromkeys(name for each in (program, *steps) for name in each.face.sizes))
    unknown = next((name for name in given if name not in names), None)
    if unknown is not None:
        raise DslcError([_no_size(typed.name, unknown, names)])
    trained = None if training is None else training.typed.batch
    samples = batch or trained or NOMINAL
    leading = {
        name for value in typed.body.inputs.values() if value.type.shape for name in symbols(value.type.shape[0])
    }
    inner = set(program.face.sizes) - leading
    return {name: given.get(name, NOMINAL if name in inner else samples) for name in names}


def _no_size(model: str, name: str, names: Sequence[str]) -> Diagnostic:
    close = near(name, names)
    has = f"its run-time sizes are {quoted(names, 'and')}" if names else "it has none"
    footers = proposed(close)
    return Diagnostic("DL6041", f"`{model}` has no run-time size `{name}`", (), (*footers, Note(has)))


def _planned(program: Program, sizes: Mapping[str, int]) -> int:
    """The bytes that a program's values need at some sizes.

    Raises:
        DslcError: a size inside it does not work out (DL6041).
    """
    try:
        return program.memory_bytes({name: sizes.get(name, NOMINAL) for name in program.face.sizes})
    except SizeError as error:
        raise DslcError([Diagnostic("DL6041", f"these sizes do not fit the model: {error}")]) from error
