"""What numbers of a trained model stand for: ids of its inputs and classes of its outputs, as the data's fields learned them.

Input: a train block and what its fields learned (`fields.json` of a run). Output: `Meanings` of one of its models, which exports
carry, predictions show and the Python API gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dslc.check.fields import field_body
from dslc.check.typed import Derived, FieldBody, TypedTrain, TypedValue
from dslc.diagnostics import Sink
from dslc.driver.frontend import Checked
from dslc_runtime.data.learning import Learned
from dslc_runtime.data.tokens import PADDING, UNKNOWN

Array: TypeAlias = npt.NDArray[Any]

MAX_BYTES = 1 << 24  # of one entry of an exported file; larger ones are left out, and the export says so

_ALIKE = ("cast", "slice", "index", "reshape", "expand_dims", "squeeze")  # ids stay what they are
_SCORES = ("softmax", "log_softmax", "cast")  # a class stays where it is
_JOINS = ("cross_entropy", "nll")


@dataclass(frozen=True, slots=True)
class Names:
    """What ids from 0 stand for.

    Attributes:
        kind: "classes" or "tokenize", the function of fields that learned them.
        names: by id. Of tokens, 0 is padding and 1 what is not in the vocabulary, both "".
        options: how `tokenize` cuts text.
    """

    kind: str
    names: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Meanings:
    """Of a model, by name: the ids that inputs take, and the classes that outputs score on their last axis or are ids of."""

    inputs: Mapping[str, Names] = field(default_factory=dict[str, Names])
    outputs: Mapping[str, Names] = field(default_factory=dict[str, Names])

    def metadata(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """Entries for an exported file, and the keys of those that are too large for it.

        `dslc.classes.NAME` is a JSON array of names in the order of their ids; `dslc.tokens.NAME` an object with `tokens`, of which
        the first has the id 2, and the options of `tokenize`. Text is ASCII, so that nothing in it can hide.
        """
        found = dict(_entries({**self.inputs, **self.outputs}))
        large = tuple(key for key, text in found.items() if len(text) > MAX_BYTES)
        return {key: text for key, text in found.items() if key not in large}, large

    def labels(self, results: Mapping[str, Array]) -> dict[str, Array]:
        """`NAME.label` for each such output: the class of the best score, or of the id. "" where a score is NaN."""
        return {f"{name}.label": _labels(results[name], names.names) for name, names in self.outputs.items()}


def _entries(found: Mapping[str, Names]) -> Iterator[tuple[str, str]]:
    for name, names in found.items():
        if names.kind == "classes":
            yield f"dslc.classes.{name}", json.dumps(names.names)
        else:
            tokens = names.names[UNKNOWN + 1 :]
            facts = {**names.options, "padding": PADDING, "unknown": UNKNOWN, "first": UNKNOWN + 1, "tokens": tokens}
            yield f"dslc.tokens.{name}", json.dumps(facts)


def _labels(result: Array, names: tuple[str, ...]) -> Array:
    """The names of ids, or of the best of the scores; an id without a name is its own."""
    scored = result.dtype.kind == "f"
    ids = np.argmax(result, axis=-1) if scored else result
    highest = max(int(ids.max(initial=0)), len(names) - 1)
    known = np.array([*names, *map(str, range(len(names), highest + 1))], np.str_)[ids]
    return np.where(np.isnan(result).any(axis=-1), "", known) if scored else known


def meanings_of(checked: Checked, typed: TypedTrain, learned: Mapping[str, Learned]) -> dict[str, Meanings]:
    """What is known of each model of a train block, by its `use` name."""
    if not learned:
        return {use: Meanings() for use in typed.uses}
    fields = _fields(checked, typed, learned)
    joined = dict(_joined(typed, fields))
    found: dict[str, Meanings] = {}
    for use, model in typed.uses.items():
        prefix = typed.prefix(use)
        outputs = ((name, _scored(value, prefix, joined)) for name, value in model.outputs.items())
        found[use] = Meanings(
            {name: fields[name] for name in model.body.inputs if name in fields},
            {name: names for name, names in outputs if names is not None},
        )
    return found


def _fields(checked: Checked, typed: TypedTrain, learned: Mapping[str, Learned]) -> dict[str, Names]:
    """The fields whose values are ids of something that was learned. Only text and labels are numbered, so no table is opened."""
    data, found = typed.data, dict[str, Names]()
    for name, spec in data.fields.items():
        if any(read.content == "numbers" for read in spec.reads):
            continue
        body = field_body(checked.file.scopes[data.span.source], data, spec, {}, Sink())
        made = None if body is None else _maker(body)
        if made is not None and made.learned in learned:
            found[name] = _names(made, learned[made.learned])
    return found


def _maker(body: FieldBody) -> Derived | None:
    """The call that numbers what a field's ids are."""
    value = body.value
    while value.op in _ALIKE:
        value = value.inputs[0]
    made = body.derived.get(value.attrs.str("name")) if value.op == "input" else None
    if made is None or made.kind in ("classes", "tokenize"):
        return made
    return _maker(made.operand) if made.kind == "window" and isinstance(made.operand, FieldBody) else None


def _names(made: Derived, learned: Learned) -> Names:
    if made.kind == "classes":
        return Names("classes", tuple(map(str, learned["labels"])))
    options = {name: made.options[name] for name in ("unit", "lower", "length")}
    return Names("tokenize", ("", "", *cast("list[str]", learned["tokens"])), options)


def _joined(typed: TypedTrain, fields: Mapping[str, Names]) -> Iterator[tuple[str, Names]]:
    """Values of scores by name, with the classes that a loss joins them with."""
    for value in typed.inference.body.values:
        if value.op not in _JOINS:
            continue
        scores, ids = value.inputs[:2]
        known = fields.get(ids.attrs.str("name")) if ids.op == "input" else None
        if known is not None and scores.name and value.attrs.int("axis") in (-1, scores.type.rank - 1):
            yield scores.name, known


def _scored(value: TypedValue, prefix: str, joined: Mapping[str, Names]) -> Names | None:
    """The classes of an output: it is what a loss joins with their ids, or made of it class by class, or its best class."""
    if value.op == "argmax" and value.attrs["axis"] in (-1, value.inputs[0].type.rank - 1):
        value = value.inputs[0]
    while f"{prefix}{value.name}" not in joined and value.op in _SCORES:
        value = value.inputs[0]
    return joined.get(f"{prefix}{value.name}") if value.name else None
