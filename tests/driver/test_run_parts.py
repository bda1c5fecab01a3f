"""The parts of a run that was resumed with other processes or threads."""

from __future__ import annotations

from typing import Any

import pytest

from dslc.driver.run_parts import change, parts_of
from dslc.driver.sharing import Cores

RAN = {"seed": 0, "threads": 2, "processes": 2}
TWO, ONE = {"from_epoch": 1, "threads": 2, "processes": 2}, {"from_epoch": 4, "threads": 1, "processes": 1}


def test_a_run_that_goes_on_as_before_has_one_part():
    parts = parts_of(RAN, 4, Cores(2, 2))
    assert parts == [TWO]
    assert change(parts, 4) == ""


def test_another_number_of_threads_begins_a_part_and_is_told():
    parts = parts_of({**RAN, "processes": 1}, 4, Cores(1, 1))
    assert parts == [{**TWO, "processes": 1}, ONE]
    wanted = "epochs before ran on 1 process (`--threads 2`); this goes on with 1 (`--threads 1`): other rounding"
    assert change(parts, 4) == wanted


def test_a_part_that_finished_no_epoch_is_forgotten():
    about = {"parts": [TWO, ONE], "threads": 1, "processes": 1}
    assert parts_of(about, 4, Cores(2, 2)) == [TWO]
    assert parts_of(about, 4, Cores(4, 4)) == [TWO, {"from_epoch": 4, "threads": 4, "processes": 4}]


def test_the_same_cores_once_more_are_no_change():
    parts = parts_of({"parts": [TWO, ONE]}, 9, Cores(1, 1))
    assert parts == [TWO, ONE]
    assert change(parts, 9) == ""


@pytest.mark.parametrize("about", [{}, {"parts": 5}, {"parts": ["x", {"from_epoch": "1"}]}, {"threads": "many"}])
def test_what_a_run_does_not_say_is_left_out(about: dict[str, Any]):
    parts = parts_of(about, 4, Cores(1, 1))
    assert parts == [ONE]
    assert change(parts, 4) == ""
