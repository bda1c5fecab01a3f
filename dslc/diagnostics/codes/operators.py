"""Codes of the family `types` that operators report about their own operands and options."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL2120",
        "a window does not fit into an image",
        """\
A convolution or a pool moves a window over an image and its padding, and the window lies inside at every place. Without padding
each layer makes the image smaller, pools by a multiple, so that deep down there may be nothing left to move over.

    x: f32[B, 1, 3, 3]
    y = x |> conv: Conv2d(8, 5)

Mended: a smaller window, or padding.

    y = x |> conv: Conv2d(8, 5, pad = "same")
""",
    ),
    Code(
        "DL2121",
        "an option of a convolution or a pool does not fit",
        """\
Windows, strides and dilations are at least 1, padding is at least 0; one number stands for all axes, and a list has one for
each. Groups divide the channels.

    y = max_pool2d(x, [2, 2, 2])     # x: f32[B, 8, 32, 32] has two axes to move along

Mended:

    y = max_pool2d(x, 2)
""",
    ),
    Code(
        "DL2122",
        "a convolution or a pool needs other axes",
        """\
Images are `[batch, channels, height, width]`, sequences `[batch, channels, length]`, as in PyTorch and ONNX. An image
without colours has one channel, and needs its axis all the same.

    image: f32[B, 28, 28]
    y = max_pool2d(image, 2)

Mended:

    y = max_pool2d(expand_dims(image, axis = 1), 2)
""",
    ),
    Code(
        "DL2106",
        "an operator does not work on this element type",
        """\
Functions such as `exp` and `/` need floats, `and` needs truth values, `+` needs numbers. Nothing is converted silently.

    n: i64[B]
    y = exp(n)

Mended:

    y = exp(cast(n, f32))
""",
    ),
    Code(
        "DL2107",
        "an option of an operator is out of its range",
        """\
The message says which values the option takes: a probability lies from 0 to 1, a standard deviation is not negative, the low end
of a range is not above its high end.

    y = clip(x, low = 1, high = 0)

Mended:

    y = clip(x, low = 0, high = 1)
""",
    ),
    Code(
        "DL2170",
        "queries, keys and values of an attention do not fit",
        """\
Queries are [..., T, d], keys [..., U, d] and values [..., U, e]: queries and keys have features of one size, because each query is
multiplied with each key, and every key has a value. The axes before them, such as batch and heads, broadcast.

    y = attention(q, k, v)                           # q: f32[B, 5, 8], k: f32[B, 7, 6]

Mended, by a product that gives both the same features:

    y = attention(q, k |> key: Dense(8), v)
""",
    ),
    Code(
        "DL2171",
        "the mask of an attention does not fit its scores",
        """\
A mask is bool, true where a query may look at a key, or has the scores' element type and is added to them. It broadcasts
against the scores, [..., queries, keys]. One that says which keys of a padded sequence are real, [batch, keys], lacks axes for
the heads and the queries.

    y = attention(q, k, v, ids != 0)                 # q: f32[B, 4, T, 8], ids: i64[B, T]

Mended:

    y = attention(q, k, v, expand_dims(ids != 0, axis = [1, 2]))
""",
    ),
)
