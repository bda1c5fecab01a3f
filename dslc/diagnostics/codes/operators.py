"""Codes of the family `types` that operators report about their own operands and options."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
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
The message says which values the option takes.

    y = clip(x, low = 1, high = 0)

Mended:

    y = clip(x, low = 0, high = 1)
""",
    ),
)
