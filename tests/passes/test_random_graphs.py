"""Random graphs compute the same with each rule and pass alone, and with all but it; each is tried where it changes something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from random import Random
from unittest.mock import patch

import expressions
import networks
import pytest
import recurrences
import stacks
import updates
from proving import Arrays, Corpus, assert_to_rounding, assert_to_the_bit, names, only

from benchmarks.leaving_out import left_out
from dslc.backends import pieces, sparse_rows
from dslc.backends.interpret import interpret
from dslc.backends.numpy_forms import FORMS, NUMPY_PASSES, specialise
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Graph, verify
from dslc.ops import FAMILIES
from dslc.passes import (
    IMAGE_PASSES,
    PASSES,
    REWRITING,
    SCAN_PASSES,
    batching,
    optimize,
    remove_dead,
    rewrite,
)
from dslc.passes.moving import hoist, sink
from dslc.passes.pipeline import Rewriting
from dslc.passes.pools import POOLS
from dslc.passes.rewrite import Rules
from dslc.passes.scans import Pass
from dslc.passes.spelling import SPELLING
from dslc.passes.views import POINTWISE


def scans(chance: Random) -> Graph:
    graph = recurrences.random_scan(chance)
    return recurrences.with_gradients(graph) if chance.random() < 0.7 else graph


def numbers_of_scans(graph: Graph, sizes: Mapping[str, int]) -> Arrays:
    return recurrences.numbers(graph, sizes["T"], sizes["B"])


CORPORA = {
    "expressions": Corpus(expressions.expressions, expressions.numbers, ({"B": 3},), assert_to_the_bit),
    "stacks": Corpus(stacks.stacks, stacks.numbers, ({"B": 2},), assert_to_rounding, enough=10),
    "networks": Corpus(networks.networks, networks.whole_numbers, ({"B": 2},), assert_to_rounding, enough=10),
    "recurrences": Corpus(recurrences.random_scan, numbers_of_scans, ({"T": 3, "B": 2},), assert_to_rounding, enough=8),
    "updates": Corpus(updates.updates, updates.numbers, ({"B": 1}, {"B": 4}), assert_to_rounding),
    "scans": Corpus(scans, numbers_of_scans, ({"T": 0, "B": 2}, {"T": 3, "B": 2}), assert_to_rounding, enough=10),
}
TABLES: dict[str, tuple[Rules, ...]] = {"expressions": (REWRITING,), "networks": (POOLS,), "stacks": (SPELLING, FORMS)}
RULES = [
    pytest.param(corpus, table, rule, id=rule)
    for corpus, tables in TABLES.items()
    for table in tables
    for rule in names(table)
]

_CHANNELS_LAST = import_module("dslc.passes.channels_last")  # the function hides the module of its name
_TURNING = _CHANNELS_LAST._RULES


@contextmanager
def nothing_too_small() -> Iterator[None]:
    """Within it, no tensor is too small to be updated by itself."""
    with ExitStack() as stack:
        for module, limit in ((pieces, "_LONG"), (sparse_rows, "_LONG"), (sparse_rows, "_PER_ID")):
            stack.enter_context(patch.object(module, limit, 0))
        yield


def in_small_pieces(graph: Graph) -> Graph:
    with nothing_too_small():
        return pieces.update_in_pieces(graph)


OF_STACKS = tuple((name, run) for name, run in (*PASSES, *NUMPY_PASSES) if run is not pieces.update_in_pieces)
PIPELINES = {
    "stacks": OF_STACKS,
    "networks": IMAGE_PASSES,
    "scans": SCAN_PASSES,
    "updates": (("updates in pieces", in_small_pieces),),
}
RUNS = [
    pytest.param(corpus, name, run, id=name)
    for corpus, pipeline in PIPELINES.items()
    for name, run in dict(pipeline).items()
    if not isinstance(run, Rewriting)
]
IMAGES = ("conv", "conv_input_grad", "conv_weight_grad", *(op.name for op in FAMILIES["pooling"]))
IMAGE_RULES = {
    "elementwise": tuple(sorted(POINTWISE)),
    "reductions": ("sum", "mean", "max", "min", "variance"),
    "batch norm": ("batch_norm",),
    "joining": ("concat",),
    "standardizing": ("standardize",),
}
LEAVING = ("add", "matmul", "concat", "slice", "softmax", "mean", "transpose", "expand")


@pytest.mark.parametrize(("corpus", "table", "rule"), RULES)
def test_a_rule_alone_and_all_but_it_change_no_result(corpus: str, table: Rules, rule: str):
    graphs, alone = CORPORA[corpus], only(rule, table)
    run = optimize if corpus == "expressions" else numpy_forms
    for seed, changed in graphs.changed_by(lambda graph: rewrite(graph, alone)):
        graphs.assert_equivalent(seed, changed)
        with left_out(rule):
            graphs.assert_equivalent(seed, run(graphs.graph(seed)))


@pytest.mark.parametrize(("corpus", "name", "run"), RUNS)
def test_a_pass_alone_and_all_but_it_change_no_result(corpus: str, name: str, run: Pass):
    graphs = CORPORA[corpus]
    for seed, changed in graphs.changed_by(run):
        graphs.assert_equivalent(seed, changed)
        with left_out(name):
            graphs.assert_equivalent(seed, numpy_forms(graphs.graph(seed)))


@pytest.mark.parametrize("rule", IMAGE_RULES)
def test_a_rule_for_channels_last_alone_and_all_but_it_change_no_result(rule: str):
    """Alone means beside those for convolutions and pools, with which it begins."""
    graphs, ops = CORPORA["networks"], IMAGE_RULES[rule]
    for seed, changed in graphs.changed_by(turned_by(*IMAGES, *ops), instead_of=turned_by(*IMAGES)):
        graphs.assert_equivalent(seed, changed)
        graphs.assert_equivalent(seed, turned_by(*(op for op in _TURNING if op not in ops))(graphs.graph(seed)))


def turned_by(*ops: str) -> Pass:
    """The pass that puts channels last, with rules for some operators only."""
    rules = {op: rule for op, rule in _TURNING.items() if op in ops}

    def run(graph: Graph) -> Graph:
        with patch.object(_CHANNELS_LAST, "_RULES", rules):
            return _CHANNELS_LAST.channels_last(graph)

    return run


@pytest.mark.parametrize("op", LEAVING)
def test_work_leaves_loops_without_the_rule_for_an_operator(op: str):
    """That each does so alone is shown in `test_batching`."""
    graphs = CORPORA["recurrences"]

    def leave(graph: Graph) -> Graph:
        return sink(hoist(graph))

    def without(graph: Graph) -> Graph:
        kept = {name: rule for name, rule in batching.RULES.items() if rule is not batching.RULES[op]}
        with patch.object(batching, "RULES", kept):
            return leave(graph)

    for seed, changed in graphs.changed_by(without, instead_of=leave):
        graphs.assert_equivalent(seed, changed)


@pytest.mark.parametrize("corpus", CORPORA)
def test_all_together_change_no_result_and_have_nothing_left_to_do(corpus: str):
    graphs = CORPORA[corpus]
    for seed in range(15):
        once = optimize(graphs.graph(seed))
        graphs.assert_equivalent(seed, once)
        graphs.assert_equivalent(seed, once if corpus == "expressions" else specialise(once))
        assert shape(optimize(once)) == shape(once)


def shape(graph: Graph) -> list[object]:
    return [(node.op, node.attrs, node.out.type) for node in graph.order() if node.op != "scan"]


@pytest.mark.parametrize("corpus", CORPORA)
def test_sharing_and_removing_dead_code_change_no_bit(corpus: str):
    graphs = CORPORA[corpus]
    for seed in range(15):
        for changed in (rewrite(graphs.graph(seed), {}), remove_dead(graphs.graph(seed))):
            verify(changed, f"seed {seed}")
            for sizes, wanted in zip(graphs.sizes, graphs.results(seed), strict=True):
                found = interpret(changed, graphs.feeds(graphs.graph(seed), sizes), sizes)
                assert {n: v.tobytes() for n, v in found.items()} == {n: v.tobytes() for n, v in wanted.items()}


@pytest.mark.parametrize("seed", range(30))
def test_programs_of_networks_use_their_memory_rightly(seed: int):
    optimized = optimize(CORPORA["networks"].graph(seed))
    check_program(specialise(optimized), compile_numpy(optimized), {"B": 2})


@pytest.mark.parametrize("seed", range(40))
def test_programs_of_updates_in_pieces_use_their_memory_rightly(seed: int):
    graph = CORPORA["updates"].graph(seed)
    with nothing_too_small():
        check_program(specialise(graph), compile_numpy(graph), {"B": 2})


@pytest.mark.parametrize("op", ["gemm", "scatter_update"])
def test_updates_take_every_form(op: str):
    changed = [graph for _, graph in CORPORA["updates"].changed_by(in_small_pieces)]
    assert sum(any(node.op == op for node in graph.order()) for graph in changed) > 3


def numpy_forms(graph: Graph) -> Graph:
    """A graph as the NumPy engine runs it."""
    return specialise(optimize(graph))
