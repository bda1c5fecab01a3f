"""A rule or pass is proved on random graphs that it changes: by itself, and by all others without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.leaving_out import rules
from dslc.backends.interpret import interpret
from dslc.graph import Graph, print_graph, verify
from dslc.passes import rewrite
from dslc.passes.rewrite import Rules
from dslc.passes.scans import Pass

Array = npt.NDArray[Any]
Arrays = dict[str, Array]


def only(name: str, table: Rules) -> Rules:
    """One rule, for every operator it is listed under."""
    rule = rules()[name]
    return {op: (rule,) for op, alternatives in table.items() if rule in alternatives}


def names(table: Rules) -> list[str]:
    """The rules of a table."""
    return list(dict.fromkeys(rule.__name__ for alternatives in table.values() for rule in alternatives))


@dataclass(frozen=True)
class Corpus:
    """Random graphs of one kind, each made when it is first asked for.

    Attributes:
        make: the graph of a seed.
        feeds: numbers for the leaves of a graph at some run-time sizes.
        sizes: the run-time sizes at which results are compared.
        assert_same: what a result and the one it is to be must have in common.
        seeds: how many graphs there are.
        enough: of how many graphs a pass must change, to be proved on these.
    """

    make: Callable[[Random], Graph]
    feeds: Callable[[Graph, Mapping[str, int]], Arrays]
    sizes: tuple[Mapping[str, int], ...]
    assert_same: Callable[[Array, Array], None]
    seeds: int = 400
    enough: int = 15
    _graphs: dict[int, Graph] = field(default_factory=dict)
    _texts: dict[int, str] = field(default_factory=dict)
    _results: dict[int, list[Arrays]] = field(default_factory=dict)

    def graph(self, seed: int) -> Graph:
        if seed not in self._graphs:
            self._graphs[seed] = self.make(Random(seed))
        return self._graphs[seed]

    def changed_by(self, run: Pass, instead_of: Pass | None = None) -> list[tuple[int, Graph]]:
        """The first seeds of whose graphs a pass makes something else (than another pass), and what; there must be `enough`."""
        found: list[tuple[int, Graph]] = []
        for seed in range(self.seeds):
            after = run(self.graph(seed))
            if _text(after) != (self._text(seed) if instead_of is None else _text(instead_of(self.graph(seed)))):
                found.append((seed, after))
            if len(found) == self.enough:
                return found
        raise AssertionError(f"only {len(found)} of {self.seeds} graphs are changed")

    def assert_equivalent(self, seed: int, changed: Graph) -> None:
        """A graph that was made of the one of a seed is legal and computes the same."""
        verify(changed, f"seed {seed}")
        for sizes, wanted in zip(self.sizes, self.results(seed), strict=True):
            found = interpret(changed, self.feeds(self.graph(seed), sizes), sizes)
            assert list(found) == list(wanted)
            for name, value in wanted.items():
                assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape), name
                self.assert_same(found[name], value)

    def results(self, seed: int) -> list[Arrays]:
        """What the graph of a seed computes, at all sizes."""
        if seed not in self._results:
            graph = self.graph(seed)
            self._results[seed] = [interpret(graph, self.feeds(graph, sizes), sizes) for sizes in self.sizes]
        return self._results[seed]

    def _text(self, seed: int) -> str:
        if seed not in self._texts:
            self._texts[seed] = _text(self.graph(seed))
        return self._texts[seed]


def _text(graph: Graph) -> str:
    """A graph as it is written when equal nodes are one and nothing is dead."""
    return print_graph(rewrite(graph, {}))


def assert_to_the_bit(found: Array, wanted: Array) -> None:
    """Equal, zeros' signs included, but for `x ** 2` as a square, which may be a unit off."""
    np.testing.assert_allclose(found, wanted, rtol=2e-6 if found.dtype == np.float32 else 1e-14, atol=0)
    zero = wanted == 0
    np.testing.assert_array_equal(np.signbit(found)[zero], np.signbit(wanted)[zero])


def assert_to_rounding(found: Array, wanted: Array) -> None:
    """Equal but for the order in which sums add."""
    scale = 1 + np.abs(wanted).max(initial=0)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-11 * scale)
