"""The number of threads of linear algebra: set for a while, and then as it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np  # noqa: F401  # brings the BLAS whose threads are set
import pytest
import threadpoolctl  # pyright: ignore[reportMissingTypeStubs]

from dslc_runtime.threads import default_threads, describe, limited, usable_cores


@pytest.fixture(autouse=True)
def three() -> Iterator[None]:
    """The process's own setting, one that nothing here chooses."""
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        if not describe() or threads() != {3}:
            pytest.skip("there is no BLAS here whose threads can be set")
        yield


def threads() -> set[int]:
    return {pool["threads"] for pool in describe()}


def test_threads_are_limited_for_a_while_and_then_as_they_were():
    with limited(1):
        assert threads() == {1}
        with limited(2):
            assert threads() == {2}
        assert threads() == {1}
    assert threads() == {3}


def test_an_error_leaves_the_threads_as_they_were():
    with pytest.raises(ZeroDivisionError), limited(1):
        _ = 1 / 0
    assert threads() == {3}


def test_no_limit_leaves_the_setting_alone():
    with limited(None):
        assert threads() == {3}


def test_what_others_set_meanwhile_counts_at_the_next_time():
    with limited(1):
        pass
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        with limited(1):
            assert threads() == {1}
        assert threads() == {2}


def test_short_steps_have_one_thread_and_long_ones_all_cores():
    assert default_threads(1e6) == 1
    assert default_threads(1e9) == usable_cores()
