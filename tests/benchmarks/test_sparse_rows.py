"""The benchmark of updates by rows: both steps are made, and one works in less memory than the table takes."""

from __future__ import annotations

import pytest

from benchmarks.sparse_rows import Case, row


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
def test_a_row_says_what_both_ways_take(optimizer: str) -> None:
    case = Case(100_000, 8, optimizer, 2)
    assert case.pays()
    table, cross, width, batch, name, _, _, _, whole, by_rows = row(case, 1).split()
    assert (table, cross, width, batch, name) == ("100000", "x", "8", "2", optimizer)
    assert float(whole) >= 3.2
    assert float(by_rows) < 0.1


def test_a_ratio_is_in_brackets_where_the_compiler_keeps_the_table_whole() -> None:
    case = Case(50, 8, "sgd", 2)
    assert not case.pays()
    assert row(case, 1).split()[7].startswith("(")
