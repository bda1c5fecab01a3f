"""Rows of a table that ids name, changed where they lie, as the NumPy engine runs an optimizer on an embedding.

A pass puts these operators in the place of a gradient that is zero in all rows but a few; no program calls them, and no export
sees them.
"""

from __future__ import annotations

from dslc.ops.cost import free, per_operand, rows_written
from dslc.ops.index import check_ids
from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.tensor_type import TensorType


def _check_rows(name: str, values: TensorType, ids: TensorType) -> None:
    if values.shape[: ids.rank] != ids.shape:
        raise OpError(f"`{name}` needs one row of values per id: {values} and {ids}")


def _sum_by_id_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    values, ids = types
    check_ids("sum_by_id", ids, 1)
    _check_rows("sum_by_id", values, ids)
    return values


def _sum_by_id(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    values, ids = inputs
    return b.apply("gather", b.apply("scatter_add", values, ids, rows=attrs.dim("rows")), ids)


def _scatter_update_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    table, values, ids = types
    check_ids("scatter_update", ids, 2)
    _check_rows("scatter_update", values, ids)
    if table.dtype != values.dtype or table.shape[1:] != values.shape[ids.rank :]:
        raise OpError(f"`scatter_update` needs rows like those of {table}, but got {values}")
    return table


def _scatter_update(b: Builder, inputs: tuple[Value, ...], _: Attrs) -> Value:
    """The mean over the places of each id, where it has one."""
    table, values, ids = inputs
    ones = b.apply("full", sizes=values.shape, value=1.0, dtype=table.dtype)
    number, total = (b.apply("scatter_add", each, ids, rows=table.shape[0]) for each in (ones, values))
    zero = b.constant(0.0, table.dtype)
    mean = b.apply("div", total, b.apply("maximum", number, b.constant(1.0, table.dtype)))
    return b.apply("where", b.apply("gt", number, zero), mean, table)


SPARSE_ROWS = (
    OpDef(
        name="sum_by_id",
        doc="""Adds rows up by id, at every place of the id: y[i] = sum of values[j] over all j with ids[j] = ids[i].

        `gather(scatter_add(values, ids, rows), ids)` without the table between, added in the same order. Ids are below `rows`.""",
        infer=_sum_by_id_type,
        operands=("values", "ids"),
        options=(Option("rows", "int", required=True),),
        decompose=_sum_by_id,
        kernel="sum_by_id",
        flops=per_operand(),
        inplace=(0,),
        call=False,
    ),
    OpDef(
        name="scatter_update",
        doc="""A table with other rows where ids say so: y[ids[i]] = values[i], and y[k] = table[k] for all other k.

        Equal ids come with equal rows; which of them is written is not said.""",
        infer=_scatter_update_type,
        operands=("table", "values", "ids"),
        decompose=_scatter_update,
        kernel="scatter_update",
        flops=free,
        moved=rows_written,
        inplace=(0,),
        call=False,
    ),
)
