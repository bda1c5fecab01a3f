"""Kernels for rows of a table: the bits of the dense way, and no write before ids are known to be right."""

from __future__ import annotations

import numpy as np
import pytest

from dslc_runtime.errors import IdError
from dslc_runtime.kernels import KERNELS

RNG = np.random.default_rng(7)
SUM_BY_ID, SCATTER_ADD, SCATTER_UPDATE = (KERNELS[name].into for name in ("sum_by_id", "scatter_add", "scatter_update"))
IDS = {
    "apart": RNG.permutation(600)[:200],
    "uniform": RNG.integers(0, 600, 400),
    "few often": RNG.zipf(1.2, 900) % 600,
    "one": np.full(300, 17),
}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
@pytest.mark.parametrize("width", [1, 2, 3, 16, 130])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_have_the_bits_of_those_of_the_whole_table(ids: np.ndarray, width: int, dtype: type):
    values = RNG.standard_normal((ids.size, width)).astype(dtype)
    table = np.empty((600, width), dtype)
    SCATTER_ADD(values, ids, rows=600, out=table)
    sums = np.empty_like(values)
    SUM_BY_ID(values, ids, rows=600, out=sums)
    assert sums.tobytes() == table[ids].tobytes()
    SUM_BY_ID(values, ids, rows=600, out=values)
    assert values.tobytes() == sums.tobytes()


def test_rows_are_written_in_place_and_all_others_stay():
    table, ids = RNG.standard_normal((50, 4)), np.array([[3, 9], [3, 41]])
    before = table.copy()
    rows = np.full((2, 2, 4), 5.0)
    SCATTER_UPDATE(table, rows, ids, out=table)
    others = np.delete(np.arange(50), ids)
    assert (table[[3, 9, 41]] == 5.0).all()
    assert table[others].tobytes() == before[others].tobytes()


@pytest.mark.parametrize("wrong", [-1, 50])
def test_an_id_that_is_none_is_refused_before_anything_is_written(wrong: int):
    table, ids = np.ones((50, 2)), np.array([3, wrong])
    with pytest.raises(IdError, match=f"id {wrong} is not one of the 50 ids"):
        SCATTER_UPDATE(table, np.zeros((2, 2)), ids, out=table)
    assert (table == 1.0).all()
    sums = np.ones((2, 2))
    with pytest.raises(IdError, match=f"id {wrong} is not one of the 50 ids"):
        SUM_BY_ID(sums, ids, rows=50, out=sums)
    assert (sums == 1.0).all()
