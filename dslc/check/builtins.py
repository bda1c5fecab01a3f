"""What names that only the checker knows mean to a reader: functions without an operator, penalties, data sources. Prose only."""

from __future__ import annotations

from dslc.record import record


@record
class Builtin:
    """A name that the checker itself knows.

    Attributes:
        signature: how it is called.
        doc: what it gives. First sentence: its summary.
        example: statements that use it.
    """

    name: str
    signature: str
    doc: str
    example: str


_FUNCTIONS = (
    Builtin(
        "shape",
        "shape(x)",
        """The list of a tensor's sizes.

        A size that is known at run time only is a symbol: it can be compared and reckoned with like a number.""",
        "y = reshape(x, [shape(x)[0], 2, 4])",
    ),
    Builtin(
        "dtype",
        "dtype(x)",
        """The element type of a tensor: `f32`, `i64`, `bool`.

        For blocks that take floats of any precision, whose tensors made from nothing must have that of the others.""",
        "y = x + arange(8, dtype = dtype(x))",
    ),
    Builtin(
        "split",
        "split(x, parts, axis = -1)",
        """A tensor cut along an axis into parts of equal size, or into parts of the sizes in a list.

        The parts are slices of the tensor, in order. The size along the axis must divide by the number of parts, or be the
        sum of the sizes.""",
        "a, b = split(x, 2)\nc, d = split(x, [3, 5])",
    ),
    Builtin(
        "einsum",
        'einsum("b i, i j -> b j", x, w)',
        """Sums of products over axes that have names.

        The string names the axes of each tensor, separated by commas, then those of the result. Axes of one name have one
        size; those that the result leaves out are summed over. `...` stands for any axes, the same in each tensor; they
        broadcast. An axis cannot be named twice in one tensor. Floats, i32 and i64. Two tensors become one matrix product
        where they can; more are combined from left to right.""",
        'y = einsum("b t d, b u d -> b t u", seq, seq)',
    ),
    Builtin(
        "rearrange",
        'rearrange(x, "b t (h d) -> b h t d", h = 4)',
        """The same elements with axes split, merged and in another order.

        `(h d)` is one axis made of two, of which the last changes fastest; all sizes but one in a group are given by name. `1`
        is an axis of size 1, `...` stands for any axes. Both sides name the same axes. The rules are those of einops.""",
        'y = rearrange(seq, "b t (h d) -> b h t d", h = 2)',
    ),
    Builtin(
        "scan",
        "scan(cell, axis = 1, reverse = false, init = { state: value }, return_state = false)",
        """A layer that runs a cell along the time axis of a sequence.

        The cell says what one step does; the outputs get the time axis where the inputs have it, aligned with them also in
        reverse. `init` gives states their values before the first step, and with `return_state` the states after the last
        one follow the outputs. It adds nothing to the keys of parameters.""",
        """cell Sum() {
  input  x: f32[B, 8]
  state  total: f32[B, 8] = zeros()
  output y: f32[B, 8] = total + x
  next total = y
}
sums = seq |> scan(Sum())""",
    ),
    Builtin(
        "per_axis",
        "per_axis(value, axes)",
        """A list with one item for each axis: a list of so many as it is, one value repeated.

        For hyper-parameters such as `kernel: int | int[]`, of which 3 and [3, 3] mean the same to an image.""",
        "let k = per_axis(3, 2)\ny = x[:, :k[0]]",
    ),
    Builtin(
        "floor_div",
        "floor_div(a, b)",
        """The quotient of two compile-time numbers, rounded down.

        Of run-time sizes it is a size, which is worked out when an input arrives.""",
        "y = x[:, :floor_div(7, 2)]",
    ),
    Builtin(
        "ceil_div",
        "ceil_div(a, b)",
        """The quotient of two compile-time numbers, rounded up.

        Of run-time sizes it is a size, which is worked out when an input arrives.""",
        "y = x[:, :ceil_div(7, 2)]",
    ),
    Builtin(
        "ceil",
        "ceil(a)",
        """A compile-time number rounded up to a whole one.""",
        "y = x[:, :ceil(3.5)]",
    ),
)

_PENALTIES = (
    Builtin(
        "l1",
        'l1(factor, on = "*")',
        """factor * sum(|w|) over the parameters that are updated.

        `on` is a pattern of keys, in which `*` stands for anything; one that matches nothing is an error.""",
        'loss = mse(net.y, data.y) + l1(1e-4, on = "*.weight")',
    ),
    Builtin(
        "l2",
        'l2(factor, on = "*")',
        """factor * sum(w ** 2) over the parameters that are updated.

        `on` is a pattern of keys, in which `*` stands for anything; one that matches nothing is an error. PyTorch's
        `weight_decay`, an option of the optimizers here, is half as strong: its gradient is factor * w.""",
        'loss = mse(net.y, data.y) + l2(1e-4, on = "*.weight")',
    ),
)

_SOURCES = (
    Builtin(
        "inline",
        "inline({ column: rows })",
        """Rows that stand in the program itself.

        A column is a list with one item per sample: a number, or a list for a vector or an image. All columns have one length.""",
        """source = inline({ x: [[0, 1], [1, 0]], y: [1, 2] })
field x: f32[2] = source["x"]
field y: f32[]  = source["y"]""",
    ),
    Builtin(
        "npz",
        'npz("file.npz", column = "array")',
        """Arrays of a NumPy archive, as `numpy.savez` writes it.

        The path is relative to the program. Each column is named and reads one array, whose first axis counts the samples; where
        none is named, every array is a column under its own name. Pickled arrays are refused.""",
        """source = npz("digits.npz", image = "x_train", label = "y_train")
field image: f32[28, 28] = source["image"] / 255
field label: i64[]       = source["label"]""",
    ),
)

FUNCTIONS: dict[str, Builtin] = {builtin.name: builtin for builtin in _FUNCTIONS}
PENALTIES: dict[str, Builtin] = {builtin.name: builtin for builtin in _PENALTIES}
SOURCES: dict[str, Builtin] = {builtin.name: builtin for builtin in _SOURCES}
