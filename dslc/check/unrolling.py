"""How far `repeat`s and blocks may unroll, so that a short text cannot cost a long time.

What is counted is the expressions worked out inside a `repeat` or a block's call; those of a model's own statements stand
in the text once and are limited by its length.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dslc.check.scope import Context
from dslc.diagnostics import Note
from dslc.source import Span

MOST_EXPRESSIONS = 60_000
_LIMIT = Note(f"all `repeat`s and blocks of a model together unroll to at most {MOST_EXPRESSIONS:_} expressions")


@contextmanager
def unrolling(e: Context, place: Span) -> Generator[None]:
    """What is worked out inside is counted; `place` is where it was asked for."""
    outer = e.unrolling
    e.unrolling = outer or place
    try:
        yield
    finally:
        e.unrolling = outer


def spend(e: Context) -> bool:
    """Count one expression; false where there were too many, which is reported once."""
    if e.unrolling is None:
        return True
    e.unrolled += 1
    if e.unrolled == MOST_EXPRESSIONS + 1:
        e.sink.report("DL0071", "this unrolls too far", e.unrolling, "too many expressions", footers=[_LIMIT])
    return e.unrolled <= MOST_EXPRESSIONS


def can_go_on(e: Context, cost: int, turns: int, place: Span) -> bool:
    """Whether more turns of a `repeat` that cost as much as its first are worth to begin; if not, that is reported."""
    if e.unrolled + cost * turns <= MOST_EXPRESSIONS:
        return True
    if e.unrolled <= MOST_EXPRESSIONS:
        label = f"{turns:_} more turns of {cost} expressions each"
        e.sink.report("DL0071", "this unrolls too far", place, label, footers=[_LIMIT])
        e.unrolled = MOST_EXPRESSIONS + 1
    return False
