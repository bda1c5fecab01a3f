"""Operators that look elements up by integer ids, one-hot codes, and their gradients."""

from __future__ import annotations

from dslc.ops.axes import normal_axis, without
from dslc.ops.cost import free, per_operand, what_is_named
from dslc.ops.ir import Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rows import adding_up, inserting, leading, looking_up, reducing
from dslc.tensor_type import DType, TensorType

_IDS = (DType.I32, DType.I64)


def check_ids(name: str, ids: TensorType, operand: int, verb: str = "needs") -> None:
    """Refuse ids that are not i32 or i64.

    Raises:
        OpError: it names the type and how to convert it.
    """
    if ids.dtype not in _IDS:
        raise OpError(
            f"`{name}` {verb} integer ids, i32 or i64, but got {ids}",
            "DL2010",
            operand,
            help="declare the ids as integers (i64), or convert them with `cast(..., i64)`",
        )


def check_picking(name: str, x: TensorType, ids: TensorType, axis: int) -> None:
    """Refuse ids that do not give one position along `axis` for every row of `x`.

    Raises:
        OpError: the shape or the element type is another.
    """
    check_ids(name, ids, 1)
    rows = without(x.shape, (axis,))
    if ids.shape != rows:
        needed = TensorType(ids.dtype, rows)
        squeezable = without(ids.shape, (ids.rank - 1,)) == rows and ids.shape[-1:] == (1,)
        raise OpError(
            f"`{name}` needs one id per row of {x}, that is {needed}, but got {ids}",
            "DL2105",
            1,
            help="take the axis of size 1 out with `squeeze(..., axis = -1)`" if squeezable else "",
        )


# ---------------------------------------------------------------------------------------------- rows of a table


def _gather_type(types: tuple[TensorType, ...], _: Attrs) -> TensorType:
    table, ids = types
    check_ids("gather", ids, 1, "looks up")
    if table.rank == 0:
        raise OpError(f"`gather` looks up rows of a table, and {table} has none", operand=0)
    return TensorType(table.dtype, (*ids.shape, *table.shape[1:]))


def _gather_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    table, ids = node.inputs
    return [b.apply("scatter_add", g, ids, rows=table.shape[0]), None]


def _gather_onnx(onnx: OnnxEmitter, _: Node, names: tuple[str, ...]) -> str:
    return onnx.node("Gather", *names, axis=0)


def _scatter_add_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    values, ids = types
    check_ids("scatter_add", ids, 1)
    if values.shape[: ids.rank] != ids.shape:
        raise OpError(f"`scatter_add` needs one row of values per id: {values} and {ids}")
    return TensorType(values.dtype, (attrs.dim("rows"), *values.shape[ids.rank :]))


def _scatter_add_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    return [b.apply("gather", g, node.inputs[1]), None]


def _scatter_add_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    values, ids = names
    zeros = onnx.node("Expand", onnx.constant(0, node.out.dtype), onnx.shape(node.out.shape))
    places = onnx.cast(onnx.node("Unsqueeze", ids, onnx.constant([-1], DType.I64)), DType.I64)
    return onnx.node("ScatterND", zeros, places, values, reduction="add")


# ---------------------------------------------------------------------------------------------- one-hot codes


def _normal_one_hot(_: tuple[TensorType, ...], attrs: Attrs) -> Attrs:
    classes = attrs.dim("classes")
    if isinstance(classes, int) and classes < 1:
        raise OpError(f"a size must be positive: `classes` is {classes}", "DL2007")
    return attrs


def _one_hot_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (ids,) = types
    check_ids("one_hot", ids, 0)
    return TensorType(attrs.dtype("dtype"), (*ids.shape, attrs.dim("classes")))


def one_hot_onnx(onnx: OnnxEmitter, name: str, ids: TensorType, axis: int, out: TensorType) -> str:
    """1 at the position of the id, 0 elsewhere, along a new axis."""
    # ONNX Runtime's OneHot takes i64 ids that are no scalar, and knows f32 and i64 values only.
    name = name if ids.dtype is DType.I64 else onnx.cast(name, DType.I64)
    first = onnx.constant([0], DType.I64)
    name = name if ids.rank else onnx.node("Unsqueeze", name, first)
    values = onnx.constant([0.0, 1.0], DType.F32)
    made = onnx.node("OneHot", name, onnx.size(out.shape[axis]), values, axis=axis if ids.rank else -1)
    made = made if ids.rank else onnx.node("Squeeze", made, first)
    return made if out.dtype is DType.F32 else onnx.cast(made, out.dtype)


def _one_hot_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    return one_hot_onnx(onnx, names[0], node.inputs[0].type, -1, node.out.type)


# ---------------------------------------------------------------------------------------------- one element of each row


def _pick_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    x, ids = types
    check_picking("pick", x, ids, attrs.int("axis"))
    return TensorType(x.dtype, ids.shape)


def _pick_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    (x, ids), axis = node.inputs, node.attrs.int("axis")
    return [b.apply("unpick", g, ids, axis=axis, size=x.shape[axis]), None]


def pick_onnx(onnx: OnnxEmitter, x: str, ids: str, axis: int) -> str:
    """The element of every row of `x` (along `axis`) that its id names."""
    along = onnx.constant([axis], DType.I64)
    picked = onnx.node("GatherElements", x, onnx.node("Unsqueeze", ids, along), axis=axis)
    return onnx.node("Squeeze", picked, along)


def _pick_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    x, ids = names
    return pick_onnx(onnx, x, ids, node.attrs.int("axis"))


def _unpick_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    (x, ids), axis = types, attrs.int("axis")
    check_ids("unpick", ids, 1)
    if x.shape != ids.shape:
        raise OpError(f"`unpick` needs one value per id: {x} and {ids}")
    return TensorType(x.dtype, (*x.shape[:axis], attrs.dim("size"), *x.shape[axis:]))


def _unpick_vjp(b: Builder, node: Node, g: Value) -> list[Value | None]:
    return [b.apply("pick", g, node.inputs[1], axis=node.attrs["axis"]), None]


def _unpick_onnx(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
    axis = node.attrs.int("axis")
    along = onnx.constant([axis], DType.I64)
    zeros = onnx.node("Expand", onnx.constant(0, node.out.dtype), onnx.shape(node.out.shape))
    values, ids = (onnx.node("Unsqueeze", name, along) for name in names)
    return onnx.node("ScatterElements", zeros, ids, values, axis=axis)


INDEX = (
    OpDef(
        name="gather",
        doc="""Rows of a table by their ids: y[i, ...] = table[ids[i], ...], an embedding lookup.

        f32[n, d] and i64[B, T] give f32[B, T, d]. Ids are i32 or i64 from 0 to n - 1; another one stops the run.
        Gradient: a row gets the sum of g over all places that read it; ids have none.""",
        example="param table: f32[100, 16] = normal()\ny = gather(table, ids)",
        infer=_gather_type,
        rows=looking_up,
        operands=("table", "ids"),
        vjp=_gather_vjp,
        kernel="gather",
        flops=free,
        moved=what_is_named,
        onnx=_gather_onnx,
    ),
    OpDef(
        name="scatter_add",
        doc="""Adds rows up by id: y[k] = sum of values[i] over all i with ids[i] = k, for k below `rows`.

        The gradient of `gather`, in the order of the ids, so that the same ids give the same bits.""",
        infer=_scatter_add_type,
        rows=adding_up,
        operands=("values", "ids"),
        options=(Option("rows", "int", required=True),),
        vjp=_scatter_add_vjp,
        kernel="scatter_add",
        flops=per_operand(),
        onnx=_scatter_add_onnx,
        call=False,
    ),
    OpDef(
        name="one_hot",
        doc="""1 at the position of the id, 0 elsewhere, along a new last axis: i64[B] -> f32[B, classes].

        Ids are i32 or i64 from 0 to classes - 1; another one stops the run. No gradient.""",
        example="y = one_hot(ids, classes = 10)",
        infer=_one_hot_type,
        rows=leading(0),
        operands=("ids",),
        options=(Option("classes", "int", required=True), Option("dtype", "dtype", DType.F32)),
        normalize=_normal_one_hot,
        kernel="one_hot",
        flops=free,
        onnx=_one_hot_onnx,
    ),
    OpDef(
        name="pick",
        doc="""One element of every row: y[i] = x[i, ids[i]], rows being along `axis`.

        Ids have the shape of x without that axis. Gradient: g at that element, zeros elsewhere.""",
        infer=_pick_type,
        rows=reducing("axis", 1),
        operands=("x", "ids"),
        options=(Option("axis", "axis", -1),),
        normalize=normal_axis("pick"),
        vjp=_pick_vjp,
        kernel="pick",
        flops=free,
        moved=what_is_named,
        onnx=_pick_onnx,
        call=False,
    ),
    OpDef(
        name="unpick",
        doc="""Zeros with one given element per row, along a new axis of size `size`: the gradient of `pick`.""",
        infer=_unpick_type,
        rows=inserting,
        operands=("x", "ids"),
        options=(Option("axis", "int", required=True), Option("size", "int", required=True)),
        vjp=_unpick_vjp,
        kernel="unpick",
        flops=free,
        onnx=_unpick_onnx,
        call=False,
    ),
)
