"""The training steps of the programs that ship and of the benchmarks: in two graphs they compute what they are in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphs import feeds
from shards import assert_close, run_sharded
from toy import TOY

from dslc.backends.interpret import interpret
from dslc.driver.frontend import check_program, read_source
from dslc.graph import Graph, verify
from dslc.graph.retype import retype
from dslc.sharding import Sharding, shard
from dslc.tensor_type import DType
from dslc.training import training_graphs

ROOT = Path(__file__).parents[2]
PROGRAMS = [*sorted((ROOT / "models").glob("*.dl")), *sorted((ROOT / "benchmarks" / "programs").glob("*.dl"))]
# Fewer units than ship, where a network is wide: the interpreter is slow.
SMALLER = {
    "bbc_news": ("vocab=40", "d=6", "units=5"),
    "char_lm": ("d=4", "units=5"),
    "cifar_net": ("filters=[3, 4]", "hidden=[12, 8]"),
    "cnn_dropout": ("filters=[3, 4]", "hidden=8"),
    "cnn_mnist": ("filters=[3, 4]", "hidden=8"),
    "denoising": ("hidden=16", "code=8"),
    "rows_lstm": ("units=8",),
    "wide_mlp": ("train.sgd.net.width=16", "train.adam.net.width=16"),
}
#: Steps that cannot be cut, and why.
REFUSED = {
    "contrastive map": "`eq`: it has an element for every pair of rows",
    "policy_gradient policy": "`standardize`: rows meet in it",
    "resnet resnet": "`variance` in `stem.bn`: rows meet in it",
}


def steps_of(path: Path) -> dict[str, Graph]:
    found: dict[str, Graph] = {}
    for name, train in check_program(read_source(path), SMALLER.get(path.stem, ())).file.trains.items():
        for step, graph in zip(train.steps, training_graphs(train).steps, strict=True):
            found[f"{path.stem} {name}" + (f".{step.name}" if step.name else "")] = graph
    return found


def assert_equal_in_two_graphs(graph: Graph, rows: tuple[int, ...]) -> None:
    """Both graphs compute, in float64, what one does."""
    exact = retype(graph, {DType.F32: DType.F64})
    sharding = shard(exact, len(rows))
    assert isinstance(sharding, Sharding), str(sharding)
    verify(sharding.part, "part")
    verify(sharding.rest, "rest")
    assert not sharding.part.updates
    sizes = {sharding.batch: sum(rows)}
    given = feeds(exact, sizes, weights=0.1)
    assert_close(run_sharded(sharding, given, rows), interpret(exact, given, sizes), 1e-12)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_step_in_two_graphs_computes_what_it_is_in_one_or_is_refused_for_a_reason(path: Path):
    for name, graph in steps_of(path).items():
        if name in REFUSED:
            assert str(shard(graph, 2)) == REFUSED[name]
            continue
        for rows in ((3, 2), (2, 2, 1)):
            assert_equal_in_two_graphs(graph, rows)


@pytest.mark.parametrize("setting", ["clip_norm = 0.1", "clip_value = 0.01", "accumulate = 2", "ema = 0.9", ""])
def test_what_is_done_with_the_gradient_is_done_with_that_of_all_rows(setting: str, tmp_path: Path):
    program = tmp_path / "toy.dl"
    program.write_text(TOY.replace("  batch     = 8\n", f"  batch = 8\n  {setting}\n"), encoding="utf-8")
    (graph,) = steps_of(program).values()
    assert_equal_in_two_graphs(graph, (3, 2))
