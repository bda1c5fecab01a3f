"""Codes of the strings of `einsum` and `rearrange`. DL2300 to DL2309."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL2300",
        "a string of axes cannot be read",
        """\
The string names the axes of each tensor, then `->`, then those of the result. Axes are names separated by spaces; `...`
stands for any axes. In `rearrange`, `(h d)` is one axis made of two, and `1` is an axis of size 1.

    y = rearrange(x, "b t (h d -> b h t d", h = 4)   # `(` is never closed

Mended:

    y = rearrange(x, "b t (h d) -> b h t d", h = 4)
""",
    ),
    Code(
        "DL2301",
        "a string of axes uses one that no tensor has",
        """\
The result of `einsum` and `rearrange` is made of the axes on the left, and sizes are given for those.

    y = rearrange(x, "b t d -> b d s")

Mended:

    y = rearrange(x, "b t d -> b d t")
""",
    ),
    Code(
        "DL2302",
        "a string of axes leaves one out",
        """\
`rearrange` keeps every element, so every axis of the left is on the right too. `einsum` sums over an axis that is left out,
but not over those that `...` stands for.

    y = rearrange(x, "b t d -> b d")

Mended, where the mean over `t` was meant:

    y = mean(x, axis = 1)
""",
    ),
    Code(
        "DL2303",
        "an axis is named twice",
        """\
Every axis of a tensor has a name of its own, and the result has each once. Diagonals are not taken.

    y = einsum("b i i -> b", x)

Mended, where the sum over both axes was meant:

    y = einsum("b i j -> b", x)
""",
    ),
    Code(
        "DL2304",
        "a tensor has more or fewer axes than the string names",
        """\
Every axis of the tensor is named, or `...` stands for the rest. Names are separated by spaces: `bij` is one axis.

    y = rearrange(x, "b d -> d b")                   # x is f32[B, T, 8]

Mended:

    y = rearrange(x, "b t d -> d t b")
""",
    ),
    Code(
        "DL2305",
        "an axis has two sizes",
        """\
An axis has one size wherever its name stands, and the size given for it by name. Only axes under `...` broadcast.

    s = einsum("b t d, b u d -> b t u", q, k)        # q is f32[B, T, 8], k is f32[B, T, 16]

Mended, where only the second axis was meant to be the same:

    s = einsum("b t d, b u e -> b t u", q, k)
""",
    ),
    Code(
        "DL2306",
        "an axis cannot be split like this",
        """\
The size of an axis in parentheses is the product of the sizes inside, so it divides by those that are given.

    y = rearrange(x, "b (h d) -> b h d", h = 3)      # x is f32[B, 8]

Mended:

    y = rearrange(x, "b (h d) -> b h d", h = 4)
""",
    ),
    Code(
        "DL2307",
        "the sizes inside parentheses cannot be told",
        """\
One size of a group follows from the others; two do not.

    y = rearrange(x, "b (h d) -> b h d")

Mended:

    y = rearrange(x, "b (h d) -> b h d", h = 4)
""",
    ),
    Code(
        "DL2308",
        "the size of an axis is not a size",
        """\
What `rearrange` is given by name is the size of an axis: a whole number, at least 1, known when the program is compiled.

    y = rearrange(x, "b (h d) -> b h d", h = 0.5)

Mended:

    y = rearrange(x, "b (h d) -> b h d", h = 2)
""",
    ),
    Code(
        "DL2309",
        "`einsum` has more or fewer tensors than its string",
        """\
The parts of the string on the left, separated by commas, are the tensors in order.

    y = einsum("b i, i j -> b j", x)

Mended:

    y = einsum("b i, i j -> b j", x, w)
""",
    ),
)
