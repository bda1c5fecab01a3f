"""Tables of numbers: lists over several lines whose numbers the author set under one another. Their blanks are kept."""

from __future__ import annotations

from collections.abc import Iterator

from dslc.syntax.format.breaks import Breaks
from dslc.syntax.format.spacing import blanks

_IN_TABLES = frozenset({"NUMBER", "NEGATIVE", "COMMA", "LIST", "RSQB"})


def pad_tables(layout: Breaks, pads: list[int]) -> set[int]:
    """Keep the blanks before a table's numbers, as far as they can set them flush right. Returns the lists they are in."""
    lists: set[int] = set()
    done = -1
    for at, piece in enumerate(layout.pieces):
        close = layout.match[at]
        if at <= done or piece.kind != "LIST" or not any(layout.begins[at + 1 : close + 1]):
            continue
        if all(inner.kind in _IN_TABLES for inner in layout.pieces[at : close + 1]):
            _pad_table(layout, at, close, pads)
            lists.update(inner for inner in range(at, close) if layout.pieces[inner].kind == "LIST")
            done = close
    return lists


def _pad_table(layout: Breaks, opener: int, close: int, pads: list[int]) -> None:
    numbers = list(_numbers(layout, opener, close))
    widest = max((width for _, width in numbers), default=0)
    edges = _left_edges(layout, numbers)
    for at, width in numbers:
        piece = layout.pieces[at]
        if layout.begins[at]:
            kept = piece.column - edges[layout.inside[at]]
        else:
            kept = piece.gap - blanks(layout.pieces[at - 1].kind, piece.kind)
        pads[at] = min(max(kept, 0), widest - width)


def _numbers(layout: Breaks, opener: int, close: int) -> Iterator[tuple[int, int]]:
    """The first piece of each number, its sign where it has one, and its width with the sign."""
    signs = 0
    for at in range(opener, close):
        kind = layout.pieces[at].kind
        if kind == "NEGATIVE":
            signs += 1
        elif kind == "NUMBER":
            yield at - signs, signs + len(layout.pieces[at].text)
            signs = 0


def _left_edges(layout: Breaks, numbers: list[tuple[int, int]]) -> dict[int, int]:
    """For each list, the column in the source from which the numbers that begin its lines are padded."""
    edges: dict[int, int] = {}
    for at, _ in numbers:
        opener = layout.inside[at]
        if not layout.hangs(opener):
            edges[opener] = layout.pieces[opener].column + 1
        elif layout.begins[at]:
            edges[opener] = min(edges.get(opener, layout.pieces[at].column), layout.pieces[at].column)
    return edges
