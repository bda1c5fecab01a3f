"""The tests of a program, run on every installed engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.interpret import interpret
from dslc.backends.to_numpy import compile_numpy
from dslc.backends.to_onnx import to_onnx
from dslc.check.typed import (
    Body,
    Expectation,
    GoldenSide,
    LiteralSide,
    MetricSide,
    OnnxSide,
    Side,
    TypedTest,
    TypedValue,
)
from dslc.diagnostics import Diagnostic, DslcError, Help, Label
from dslc.driver import training
from dslc.driver.comparing import compare
from dslc.driver.evaluation import evaluate_part
from dslc.driver.faults import as_diagnostics
from dslc.driver.frontend import Checked
from dslc.driver.golden import golden_path, read_golden, write_golden
from dslc.driver.models import initial_params
from dslc.driver.starting import start_from
from dslc.graph import Graph
from dslc.graph.arrays import numpy_dtype
from dslc.lower import lower
from dslc.passes import optimize
from dslc.passes.export import optimize_for_export
from dslc.source import Span
from dslc_runtime import ort
from dslc_runtime.errors import RuntimeFault

Array = npt.NDArray[Any]

NUMPY, ORT = "numpy", "onnx runtime"


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test on one engine.

    Attributes:
        failures: what was not as expected; empty where the test passed.
        skipped: expectations that need ONNX Runtime where it is not installed.
        updated: goldens that were rewritten, and how far their values moved.
    """

    name: str
    engine: str
    failures: tuple[Diagnostic, ...]
    skipped: int = 0
    updated: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(slots=True)
class _Runner:
    """Runs tests of one program; trained weights are kept for the tests that share a train block."""

    checked: Checked
    update: bool
    trained: dict[str, training.Trained] = field(default_factory=dict[str, training.Trained])

    def train(self, name: str) -> training.Trained:
        if name not in self.trained:
            trained = training.train(self.checked, name)
            trained.result.raise_if_interrupted()
            self.trained[name] = trained
        return self.trained[name]


def run_tests(
    checked: Checked, pattern: str = "*", update: bool = False, about: str | None = None
) -> Iterator[TestResult]:
    """Run the tests whose names match a pattern (part of a name, or with `*`), engine by engine.

    Args:
        update: rewrite goldens with what NumPy computes.
        about: only tests that use the model, or train the train block, of this name.
    """
    runner = _Runner(checked, update)
    engines = (NUMPY, ORT) if ort.is_installed() else (NUMPY,)
    for test in checked.file.tests:
        if not (fnmatchcase(test.name, pattern) or pattern in test.name):
            continue
        if about is not None and not _is_about(test, about):
            continue
        for engine in engines if not test.error else engines[:1]:
            yield _outcome(runner, test, engine)


def _is_about(test: TypedTest, name: str) -> bool:
    return name == test.trains or any(name == model.name for model in test.uses.values())


def _outcome(runner: _Runner, test: TypedTest, engine: str) -> TestResult:
    """A test's result; data, a training or an engine at fault fail this test alone."""
    try:
        with as_diagnostics():
            return _run(runner, test, engine)
    except DslcError as error:
        return TestResult(test.name, engine, error.diagnostics)


def _run(runner: _Runner, test: TypedTest, engine: str) -> TestResult:
    if test.error:
        text = f"the mistake {test.error} was expected and not made"
        return TestResult(test.name, engine, () if test.found else (_failure(test.span, text),))
    values = _Values(runner, test, engine)
    failures: list[Diagnostic] = []
    skipped = 0
    for expectation in test.expectations:
        if not ort.is_installed() and any(isinstance(s, OnnxSide) for s in (expectation.left, expectation.right)):
            skipped += 1
            continue
        problem = values.problem(expectation)
        if problem is not None:
            failures.append(problem)
    return TestResult(test.name, engine, tuple(failures), skipped, tuple(values.updated))


def _failure(span: Span, text: str, *helps: Help) -> Diagnostic:
    return Diagnostic("DL5050", "a test's expectation is not met", (Label(span, text),), helps)


class _Values:
    """The sides of a test's expectations as arrays."""

    def __init__(self, runner: _Runner, test: TypedTest, engine: str) -> None:
        self._runner = runner
        self._test = test
        self._engine = engine
        self._params = self._weights()
        self._feeds = {name: self._given(name) for name in test.body.inputs}
        self._computed: dict[str, dict[TypedValue, Array]] = {}
        self.updated: list[str] = []

    def problem(self, expectation: Expectation) -> Diagnostic | None:
        """What is wrong with an expectation, or None."""
        try:
            left, right = self._sides(expectation)
        except RuntimeFault as fault:
            helps = (Help(fault.help),) if fault.help else ()
            return _failure(expectation.span, fault.message, *helps)
        text = compare(left, expectation.op, right, expectation.within)
        return _failure(expectation.span, text) if text else None

    def _sides(self, expectation: Expectation) -> tuple[Array, Array]:
        left, right = expectation.left, expectation.right
        if isinstance(left, GoldenSide):
            known = self._array(right)
            return self._golden(left, known), known
        if isinstance(right, GoldenSide):
            known = self._array(left)
            return known, self._golden(right, known)
        return self._array(left), self._array(right)

    def _array(self, side: Side) -> Array:
        if isinstance(side, TypedValue):
            return self._compute(side, self._engine)
        if isinstance(side, OnnxSide):
            return self._compute(side.value, ORT)
        if isinstance(side, LiteralSide):
            return np.array(side.value)
        assert isinstance(side, MetricSide), "a golden is compared with something else"
        trained = self._runner.train(self._test.trains)
        figures = evaluate_part(trained.prepared.typed, trained.opened.part(side.part), trained.result.best)
        return np.array(figures[side.metric])

    def _golden(self, side: GoldenSide, computed: Array) -> Array:
        path = golden_path(self._runner.checked.folder, side.path)
        if not self._runner.update or self._engine != NUMPY:
            return read_golden(path)
        try:
            before: Array | None = read_golden(path)
        except RuntimeFault:
            before = None
        if before is None or before.dtype != computed.dtype or not np.array_equal(before, computed, equal_nan=True):
            write_golden(path, computed)
            self.updated.append(f"{side.path}: {_change(before, computed)}")
        return computed

    # ------------------------------------------------------------------------------------------ computing

    def _weights(self) -> dict[str, Array]:
        specs = self._test.body.params
        if not self._test.trains:
            params = initial_params(specs, self._test.seed)
            start_from(params, self._test.starts, several=len(self._test.uses) > 1)
            return params
        best = self._runner.train(self._test.trains).result.best
        return {key: best[key] for key in specs}

    def _given(self, name: str) -> Array:
        value, type_ = self._test.given[name], self._test.body.inputs[name].type
        if isinstance(value, TypedValue):
            graph = lower(Body(False, [value]), {"given": value})
            return interpret(graph, {})["given"]
        return np.array(value, numpy_dtype(type_.dtype))

    def _compute(self, value: TypedValue, engine: str) -> Array:
        """A value on an engine; all values a test expects are computed together."""
        if engine not in self._computed:
            wanted = [v for e in self._test.expectations for side in (e.left, e.right) if (v := _value(side))]
            unique = list(dict.fromkeys(wanted))
            graph = lower(self._test.body, {f"value{n}": v for n, v in enumerate(unique)})
            run = _numpy if engine == NUMPY else _ort
            found = run(graph, self._feeds, self._params)
            self._computed[engine] = {v: found[f"value{n}"] for n, v in enumerate(unique)}
        return self._computed[engine][value]


def _value(side: Side) -> TypedValue | None:
    if isinstance(side, OnnxSide):
        return side.value
    return side if isinstance(side, TypedValue) else None


def _numpy(graph: Graph, feeds: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
    program = compile_numpy(optimize(graph))
    bound = program.bind(program.sizes_of({name: array.shape for name, array in feeds.items()}), params)
    for name, array in feeds.items():
        np.copyto(bound.inputs[name], array)
    bound.run()
    return {name: np.array(value) for name, value in bound.outputs.items()}


def _ort(graph: Graph, feeds: Mapping[str, Array], params: Mapping[str, Array]) -> dict[str, Array]:
    graph = optimize_for_export(graph)
    used = {node.attrs.str("key") for node in graph.leaves("param")}
    model = to_onnx(graph, {key: array for key, array in params.items() if key in used})
    return ort.open_session(model.SerializeToString()).run(feeds)


def _change(before: Array | None, after: Array) -> str:
    """How a golden changed, in a few words."""
    if before is None:
        return f"written, shape {list(after.shape)}"
    if before.shape != after.shape:
        return f"shape {list(before.shape)} is now {list(after.shape)}"
    moved = np.max(np.abs(before.astype(np.float64) - after.astype(np.float64)), initial=0.0)
    return f"values moved by up to {moved:.3g}"


def summary(results: Sequence[TestResult]) -> str:
    """One line that counts."""
    passed = sum(result.passed for result in results)
    skipped = sum(result.skipped for result in results)
    text = f"{passed} passed, {len(results) - passed} failed"
    return text + (f", {skipped} expectations skipped without ONNX Runtime" if skipped else "")


def failures_of(results: Sequence[TestResult]) -> list[Diagnostic]:
    """Every failure, once."""
    return list(dict.fromkeys(failure for result in results for failure in result.failures))
