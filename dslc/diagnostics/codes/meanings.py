"""Codes of the family `types` about what numbers mean: comparisons, ranges of values, ids into tables."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL2060",
        "a reduction is written like a comparison",
        """\
`max` and `min` of a tensor reduce it along axes, and `max(x, 0)` could be read as the maximum along axis 0 or as the larger
of `x` and 0. So the second argument is never taken by position: `axis =` reduces, `maximum` and `minimum` compare
element by element.

    y = max(x, 0)

Mended: whichever is meant.

    y = maximum(x, 0)        # the same as relu(x)
    y = max(x, axis = 0)
""",
    ),
    Code(
        "DL2061",
        "an id lies beyond its table",
        """\
Ids count from 0: a table of 5 rows has the ids 0 to 4. An id that is written in the program and names no row is an error
before anything runs; one that comes from data stops the run (DL5041).

    param table: f32[5, 8] = normal()
    y = gather(table, [0, 5])

Mended:

    y = gather(table, [0, 4])
""",
    ),
)
