"""Codes of the family `types`: element types, sizes, shapes, and what compile-time values must be."""

from dslc.diagnostics.codes.entry import Code, Severity

CODES: tuple[Code, ...] = (
    Code(
        "DL2001",
        "the inner sizes of a matrix product differ",
        """\
`a @ b` sums over the last axis of `a` and the last but one of `b`: both have one size. The notes say where
each of them came from.

    z: f32[B, 32], w: f32[784, 32]
    y = z @ w

Mended:

    y = z @ transpose(w)        # f32[B, 784]
""",
    ),
    Code(
        "DL2002",
        "operands do not fit an operator",
        """\
Arithmetic broadcasts as NumPy does: sizes are compared from the last axis on, and are equal or 1.

    a: f32[B, 3], b: f32[B, 4]
    y = a + b

Mended: bring them to one shape first.

    y = a + b[:, 0:3]
""",
    ),
    Code(
        "DL2003",
        "element types do not mix",
        """\
Integers, floats and truth values never mix silently. A literal takes the type of the other side, if it can.

    n: i64[B]
    y = n * 0.5

Mended:

    y = cast(n, f32) * 0.5
""",
    ),
    Code(
        "DL2004",
        "an argument or a compile-time value is of the wrong kind",
        """\
Hyper-parameters and options have kinds: int, float, bool, string, a function, a layer, or lists of them.

    y = x |> fc: Dense("10")

Mended:

    y = x |> fc: Dense(10)
""",
    ),
    Code(
        "DL2005",
        "a value has another type than declared",
        """\
The type written with an output or a value is checked against what the expression gives: element type, number of axes,
and every size.

    output y: f32[B, 10]
    y = x |> fc: Dense(12)

Mended:

    y = x |> fc: Dense(10)
""",
    ),
    Code(
        "DL2006",
        "a shared layer is used with different sizes",
        """\
A layer named with `layer` has one set of parameters, whose sizes come from its first use. Every other use needs an
input with the same sizes.

    layer f = Dense(8)
    a = f(x)             # x: f32[B, 4]
    b = f(a)             # a: f32[B, 8]

Mended: two layers.

    layer f = Dense(8)
    layer g = Dense(8)
    b = g(f(x))
""",
    ),
    Code(
        "DL2007",
        "a size must be positive",
        """\
Sizes of inputs, parameters and values are at least 1. The notes say which hyper-parameter or literal the size came from.

    y = x |> fc: Dense(0)

Mended:

    y = x |> fc: Dense(10)
""",
    ),
    Code(
        "DL2008",
        "a parameter's size is known only at run time",
        """\
Parameters have fixed sizes; a dimension declared with `dim` is known when data arrives.

    dim B, T
    input x: f32[B, T]
    y = x |> fc: Dense(10)      # weight would be f32[T, 10]

Mended: fix the size, or take it out first.

    input x: f32[B, 28]
""",
    ),
    Code(
        "DL2009",
        "a size is not a whole number",
        """\
Compile-time `/` is exact: `7 / 2` is three and a half. Where a size is needed use `floor_div` or `ceil_div`.

    h: f32[B, n / 2] = ...      # n = 7

Mended:

    h: f32[B, floor_div(n, 2)] = ...
""",
    ),
    Code(
        "DL2010",
        "float values where integer ids are needed",
        """\
Looking rows up needs whole numbers: `i32` or `i64`.

    input tokens: f32[B, T]
    y = gather(table, tokens)

Mended:

    input tokens: i64[B, T]
""",
    ),
    Code(
        "DL2011",
        "an operand does not fit the input of a block",
        """\
The types of a block's inputs say how many axes an operand has and which of its sizes are equal.

    block Pair { input a: f32[B, 2] ... }
    y = x |> p: Pair()          # x: f32[B, 3]

Mended:

    y = x[:, 0:2] |> p: Pair()
""",
    ),
    Code(
        "DL2012",
        "an index or `...` is used in a way that has no meaning",
        """\
Tensors are indexed as in NumPy with whole numbers, slices, `...` (once) and `none` (a new axis), all known at compile
time. In a type, `...` comes first and stands for the leading sizes of a block's input.

    y = x[0.5]

Mended:

    y = x[0]
""",
    ),
    Code(
        "DL2013",
        "an index is outside a list",
        """\
Lists are indexed from 0, or from the end with negative numbers.

    let widths = [16, 32]
    y = x |> fc: Dense(widths[2])

Mended:

    y = x |> fc: Dense(widths[1])
""",
    ),
    Code(
        "DL2014",
        "a value is needed at compile time",
        """\
`if`, `let`, sizes and options are decided when the program is compiled. A tensor's values, and comparisons of
run-time sizes, are known later; `where(c, a, b)` chooses per element then.

    y = if x > 0 then x else 0

Mended:

    y = where(x > 0, x, 0)
""",
    ),
    Code(
        "DL2015",
        "a tensor is needed",
        """\
Operators and layers work on tensors; numbers and lists of numbers become constants. Strings, records, layers that are not
applied and functions that are not called are none.

    h = Dense(10)
    y = h + 1

Mended:

    layer h = Dense(10)
    y = h(x) + 1
""",
    ),
    Code(
        "DL2016",
        "a list of numbers does not make the tensor that is needed",
        """\
The rows of a nested list have equal lengths, its shape is the declared one, and every number fits the element type.

    param w: f32[3] = [0, 1]

Mended:

    param w: f32[3] = [0, 1, 0]
""",
    ),
    Code(
        "DL2017",
        "a parameter has no initial value that makes sense",
        """\
Every parameter says how it starts: a number, a list of its shape, or an initialiser.

    param w: f32[784, 10]

Mended:

    param w: f32[784, 10] = glorot_uniform()
""",
    ),
    Code(
        "DL2018",
        "the number of names differs from the number of values",
        """\
`a, b = ...` needs exactly as many values as names.

    a, b, c = split(x, 2)

Mended:

    a, b = split(x, 2)
""",
    ),
    Code(
        "DL2019",
        "a compile-time expression has no value",
        """\
Division by zero, the square root of a negative number, or a number beyond all limits.

    let s = 1 / sqrt(n - n)

Mended:

    let s = 1 / sqrt(n)
""",
    ),
    Code(
        "DL2020",
        "a tensor is too large",
        """\
The number of elements is limited, so that a slip in a size ends here and not in a full memory.

    h: f32[1_000_000, 1_000_000] = ...

Mended: look at the size that grew; the message gives the shape.
""",
    ),
    Code(
        "DL2040",
        "a requirement of a block does not hold",
        """\
The author of a block states with `require` what its hyper-parameters and sizes must satisfy; the message is theirs.

    h = x |> Dropout(1.5)

Mended:

    h = x |> Dropout(0.5)
""",
    ),
    Code(
        "DL2085",
        "whether sizes are equal is known only when a batch arrives",
        """\
Sizes are compared as polynomials. Where one of them rounds, equality can depend on the run-time sizes: `H / 2` and
`floor_div(H + 1, 2)` are equal for an even `H` alone. The program is accepted, and a batch for which they differ is
refused with this message.

    output half: f32[B, H / 2]
    half = x[:, ::2]              # f32[B, floor_div(H + 1, 2)]

Mended where both are meant to be the same: write the size as it is computed.

    output half: f32[B, ceil_div(H, 2)]
""",
        Severity.WARNING,
        "size-not-proved",
    ),
    Code(
        "DL2101",
        "there is no such axis",
        """\
Axes count from 0, or from -1 (the last) backwards.

    y = mean(x, axes = [2])     # x: f32[B, 10]

Mended:

    y = mean(x, axes = [1])
""",
    ),
    Code(
        "DL2102",
        "a slice or an index lies outside an axis",
        """\
Slices do not clamp: `x[:, 1:3]` has size 2 and needs at least 3 elements on that axis.

    y = x[:, 0:12]              # x: f32[B, 10]

Mended:

    y = x[:, 0:10]
""",
    ),
    Code(
        "DL2103",
        "the numbers of elements differ",
        """\
`reshape` keeps all elements; one size may be -1, which is worked out.

    y = reshape(x, [B, 100])    # x: f32[B, 28, 28]

Mended:

    y = reshape(x, [B, 784])
""",
    ),
    Code(
        "DL2104",
        "tensors cannot be joined",
        """\
`concat` and `stack` need equally many axes and equal sizes, `concat` except along its axis.

    y = concat(a, b, axis = 0)  # f32[B, 3] and f32[B, 4]

Mended:

    y = concat(a, b, axis = 1)
""",
    ),
    Code(
        "DL2105",
        "a prediction and its target do not fit a loss or metric",
        """\
A loss compares tensors of the same shape; a single number fills. Class ids have the prediction's shape without the class
axis, which is the last unless `axis` says otherwise. NumPy would broadcast f32[B, 1] against f32[B] to f32[B, B], and the
model would learn nonsense.

    loss = mse(net.y, data.price)                     # f32[B, 1] and f32[B]

Mended:

    loss = mse(squeeze(net.y, axis = -1), data.price)
""",
    ),
)
