"""Which lines are set under one another."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dslc.syntax.format.columns import Cell, paddings


def settled(lines: list[tuple[int, int, str]]) -> list[int]:
    """The blanks before the places of lines, each given by its width, the blanks it had and its kind."""
    pads = dict(paddings([Cell(at, *line) for at, line in enumerate(lines)]))
    return [pads.get(at, 0) + 1 for at in range(len(lines))]


def test_what_was_under_one_another_stays_so() -> None:
    assert settled([(3, 4, "NAME"), (6, 1, "NAME"), (2, 1, "NAME")]) == [4, 1, 1]


def test_a_column_is_as_wide_as_its_widest_line_needs() -> None:
    assert settled([(1, 9, "NAME"), (3, 7, "NAME")]) == [3, 1]


def test_lines_without_padding_form_no_column() -> None:
    assert settled([(3, 1, "NAME"), (3, 1, "NAME"), (5, 1, "NAME")]) == [1, 1, 1]


def test_a_lone_padded_line_loses_its_padding() -> None:
    assert settled([(3, 5, "NAME"), (4, 1, "NAME")]) == [1, 1]


def test_a_longer_line_widens_the_column_of_its_kind_only() -> None:
    assert settled([(1, 2, "NAME"), (2, 1, "NAME"), (7, 1, "NAME")]) == [7, 6, 1]
    assert settled([(1, 2, "NAME"), (2, 1, "NAME"), (7, 1, "FIELD")]) == [2, 1, 1]


def test_a_line_in_the_middle_of_a_column_joins_it() -> None:
    assert settled([(1, 3, "NAME"), (2, 1, "NAME"), (3, 1, "NAME")]) == [3, 2, 1]


@settings(max_examples=200, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5), st.sampled_from(["NAME", "FIELD"])), max_size=8))
def test_settled_lines_stay_as_they_are(lines: list[tuple[int, int, str]]) -> None:
    gaps = settled(lines)
    again = [(width, gap, kind) for (width, _, kind), gap in zip(lines, gaps, strict=True)]
    assert settled(again) == gaps
