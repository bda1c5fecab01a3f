"""Keys of parameters are paths of labels: moving, adding and removing other layers changes none of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dslc.check import elaborate_model, file_scope
from dslc.check.typed import ParamSpec
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.source import Source
from dslc.syntax.parse import parse

HEAD = """dim B, T
cell Sum(units: int) {
  input  x: f32[B, units]
  state  h: f32[B, units] = zeros()
  output y: f32[B, units] = h + (x |> inner: Dense(units))
  next h = y
}
block Residual(inner: layer) {
  dim D
  input  x: f32[..., D]
  output y: f32[..., D]
  param scale: f32[D] = ones() as gain
  y = x + scale * (x |> inner)
}
model M {
  input  x: f32[B, T, 4]
  output y: f32[B, T, 4]
"""
#: Stages from f32[B, T, 4] to itself; NAME is theirs alone.
STAGES = (
    "NAME: Dense(4)",
    "NAME: Dense(4, bias = false)",
    "NAME: Residual(Dense(4))",
    "NAME: Residual(Residual(scan(Sum(4))))",
    "NAME: scan(Sum(4), reverse = true)",
    "NAME: repeat(2) { Dense(4) }",
    "NAME: repeat(2) { up: Dense(8) |> relu |> down: Dense(4) }",
    "relu",
    "Dropout(0.5)",
)


def params(stages: list[tuple[str, str]], *, as_statements: bool) -> dict[str, ParamSpec]:
    """The parameters of a model that applies labelled stages one after another."""
    lines = [f"  h{n} = h{n - 1} |> {stage.replace('NAME', name)}" for n, (name, stage) in enumerate(stages, start=1)]
    if not as_statements:
        lines = [f"  h{len(stages)} = h0" + "".join(f" |> {stage.replace('NAME', name)}" for name, stage in stages)]
    text = "\n".join([HEAD + "  h0 = x + 1", *lines, f"  y = h{len(stages)}", "}"]) + "\n"
    sink = Sink()
    model = elaborate_model(file_scope(parse(Source("m.dl", text), sink), sink), "M", {}, True, sink)
    assert model is not None, render(sink, color=False)
    return model.body.params


STACKS = st.lists(st.sampled_from(STAGES), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(STACKS, STACKS, st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_keys_types_and_first_values_survive_reordering_and_insertion(kept, added, random, before, after):
    labelled = [(f"layer{n}", stage) for n, stage in enumerate(kept)]
    first = params(labelled, as_statements=before)
    mixed = [*labelled, *((f"new{n}", stage) for n, stage in enumerate(added))]
    random.shuffle(mixed)
    second = params(mixed, as_statements=after)
    assert {key for key in second if not key.startswith("new")} == set(first)
    for key, spec in first.items():
        assert (second[key].type, second[key].init) == (spec.type, spec.init)
