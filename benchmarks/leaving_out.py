"""The compiler with all of its rules and passes but one, which is left out by its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from dslc import passes
from dslc.backends import numpy_forms
from dslc.passes.pipeline import Pipeline, Rewriting
from dslc.passes.rewrite import Rule, Rules
from dslc.record import replace

#: The tables of the compiler, by where they are.
_TABLES = (
    (passes, "PASSES"),
    (passes, "SCAN_PASSES"),
    (passes, "IMAGE_PASSES"),
    (numpy_forms, "NUMPY_PASSES"),
)


def rules() -> dict[str, Rule]:
    """All rewriting rules by name, in the order in which they are first tried."""
    tables = [run.rules for pipeline in _pipelines() for _, run in pipeline if isinstance(run, Rewriting)]
    return {rule.__name__: rule for table in tables for alternatives in table.values() for rule in alternatives}


def passes_by_name() -> list[str]:
    """The names of all passes, in the order in which they run; each once."""
    return list(dict.fromkeys(name for pipeline in _pipelines() for name, _ in pipeline))


@contextmanager
def left_out(name: str) -> Iterator[None]:
    """Within it, nothing goes through the rule or pass of this name."""
    with ExitStack() as stack:
        for module, table in _TABLES:
            stack.enter_context(patch.object(module, table, without(getattr(module, table), name)))
        yield


def without(pipeline: Pipeline, name: str) -> Pipeline:
    """A pipeline but for one rule or pass."""
    kept = [(title, run) for title, run in pipeline if title != name]
    return tuple(
        (title, replace(run, rules=_but(run.rules, name)) if isinstance(run, Rewriting) else run) for title, run in kept
    )


def _but(table: Rules, name: str) -> Rules:
    return {op: tuple(rule for rule in alternatives if rule.__name__ != name) for op, alternatives in table.items()}


def _pipelines() -> list[Pipeline]:
    return [getattr(module, table) for module, table in _TABLES]
