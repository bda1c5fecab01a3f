"""Whatever names the files of a program give, its text for a run means the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dslc.check import CheckedFile
from dslc.check.inlining import inlined
from dslc.check.program import check_unit
from dslc.check.units import Unit, load_unit, no_files
from dslc.diagnostics import Diagnostic, Sink
from dslc.diagnostics.render import render
from dslc.driver.models import initial_params
from dslc.source import Source
from dslc.syntax import tree

#: Names of blocks, dimensions and hyper-parameters alike, and of standard layers: so that they clash.
NAMES = ("A", "B", "C", "Dense", "Dropout")

LIBRARY = """\
dim {dim}
block {first}({hyper}: int = 2) {{
  dim D
  input  x: float[..., D]
  output y: float[..., {hyper}]
  param w: float[D, {hyper}] = normal()
  y = x @ w
}}
block {second}({hyper}: layer = {first}(3)) {{
  dim D
  input  x: float[{dim}, D]
  output y: float[{dim}, 3]
  y = x |> one: {first}(D) |> two: {hyper} |> Dropout(0.5)
}}
"""
MAIN = """\
{imports}
dim {dim}
block {own}() {{
  dim D
  input  x: float[..., D]
  output y: float[..., D]
  y = x * 2
}}
model M({hyper}: int = 3) {{
  input  x: f32[{dim}, 3]
  output y: f32[{dim}, 3]
  y = x |> b: {own}() |> c: {outer}() |> d: Dense({hyper})
}}
"""


@st.composite
def programs(draw: st.DrawFn) -> dict[str, str]:
    """A library and a program that imports one block of it by name, or reads it from the whole file.

    Within a file names are told apart; across the files they may be the same.
    """

    def one(*taken: str) -> str:
        return draw(st.sampled_from([name for name in NAMES if name not in taken]))

    first = one("Dropout")
    second = one(first, "Dropout")
    inner_hyper = one(first, second, "Dropout")
    library = LIBRARY.format(dim=one(inner_hyper), first=first, second=second, hyper=inner_hyper)
    ways = {f'from "lib.dl" import {second}': second, 'import "lib.dl" as lib': f"lib.{second}"}
    line = draw(st.sampled_from(sorted(ways)))
    known = [second] if ways[line] == second else []
    own = one("Dense", *known)
    hyper = one("Dense", own, *known)
    main = MAIN.format(imports=line, dim=one(hyper), own=own, hyper=hyper, outer=ways[line])
    return {"main.dl": main, "lib.dl": library}


def checked(files: dict[str, str]) -> tuple[Unit, CheckedFile, Sink]:
    sources = {name: Source(name, text) for name, text in files.items()}

    def load(path: tree.String) -> Source | Diagnostic:
        return sources.get(path.value) or no_files(path)

    sink = Sink()
    unit = load_unit(sources["main.dl"], load, sink)
    return unit, check_unit(unit, sink), sink


@settings(max_examples=60, deadline=None)
@given(programs())
def test_the_text_of_a_run_means_what_the_program_means(files: dict[str, str]) -> None:
    unit, program, sink = checked(files)
    assume(not sink.failed)
    text = inlined(unit, lambda _: Path())
    _, one, found = checked({"main.dl": text})
    assert not found.failed, f"{text}\n{render(found, color=False)}"
    before, after = (file.models["M"] for file in (program, one))
    assert [(v.op, v.type, v.attrs) for v in before.body.values] == [(v.op, v.type, v.attrs) for v in after.body.values]
    start, again = (initial_params(model.body.params, 0) for model in (before, after))
    assert start.keys() == again.keys()
    assert all(np.array_equal(start[key], again[key]) for key in start)


def test_a_data_block_may_be_named_like_a_setting_or_a_dimension() -> None:
    data = 'data {name} {{\n  source = inline({{ x: [[1]] }})\n  field x: f32[1] = source["x"]\n}}\n'
    model = "dim batch\nmodel M() {\n  input  x: f32[batch, 1]\n  output y: f32[batch, 1]\n  y = x |> d: Dense(1)\n}\n"
    train = "train fit {{\n  use net = M()\n  data = {name}\n  loss = mean(square(net.y))\n}}\n"
    for name in ("data", "batch", "net"):
        main = f'from "lib.dl" import {name}\n' + model + train.format(name=name)
        unit, _, sink = checked({"main.dl": main, "lib.dl": data.format(name=name)})
        assert not sink.failed, render(sink, color=False)
        _, one, found = checked({"main.dl": inlined(unit, lambda _: Path())})
        assert not found.failed
        assert [read.name for read in one.trains["fit"].data.fields["x"].reads] == ["x"]
