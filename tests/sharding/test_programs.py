"""The training steps of the programs that ship and of the benchmarks: in two graphs they compute what they are in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphs import feeds
from shards import assert_close, run_sharded

from dslc.backends.interpret import interpret
from dslc.driver.frontend import check_program, read_source
from dslc.graph import Graph, verify
from dslc.graph.retype import retype
from dslc.sharding import Refused, shard
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
}
#: Steps that cannot be cut, and why: what they compute, or (`arange`) how it is written.
REFUSED = {
    "contrastive map": "`eq`: it has an element for every pair of rows",
    "gan gan.generator": "`sub`: it has an element for every pair of rows",
    "japanese_vowels lstm": "`arange` in `both`: it depends on the number of rows",
    "japanese_vowels gru": "`arange` in `both`: it depends on the number of rows",
    "japanese_vowels rnn": "`arange` in `both`: it depends on the number of rows",
    "policy_gradient policy": "`standardize`: rows meet in it",
    "resnet resnet": "`variance` in `stem.bn`: rows meet in it",
    "sunspots forecast": "`sub`: it needs a sum over all rows for every row",
}


def steps_of(path: Path) -> dict[str, Graph]:
    found: dict[str, Graph] = {}
    for name, train in check_program(read_source(path), SMALLER.get(path.stem, ())).file.trains.items():
        for step, graph in zip(train.steps, training_graphs(train).steps, strict=True):
            found[f"{path.stem} {name}" + (f".{step.name}" if step.name else "")] = graph
    return found


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_step_in_two_graphs_computes_what_it_is_in_one_or_is_refused_for_a_reason(path: Path):
    for name, graph in steps_of(path).items():
        exact = retype(graph, {DType.F32: DType.F64})
        for rows in ((3, 2), (2, 2, 1)):
            sharding = shard(exact, len(rows))
            if isinstance(sharding, Refused):
                assert str(sharding) == REFUSED.get(name), name
                continue
            assert name not in REFUSED
            verify(sharding.part, "part")
            verify(sharding.rest, "rest")
            assert not sharding.part.updates
            sizes = {sharding.batch: sum(rows)}
            given = feeds(exact, sizes, weights=0.1)
            assert_close(run_sharded(sharding, given, rows), interpret(exact, given, sizes), 1e-12)
