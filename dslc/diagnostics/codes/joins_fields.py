"""Codes about functions of data fields, and about columns that are read together."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL3130",
        "a function of text is not applied to a column of text",
        """\
`tokenize` reads one column of text, `classes` one column of labels: text, or whole numbers. They make numbers of it, and all
else in a field is applied to these.

    field kind: i64[] = classes(source["kind"] + 1)         # wrong: reckons with text
    field kind: i64[] = classes(source["a", "b"])           # wrong: two columns

    field kind: i64[] = classes(source["kind"])
""",
    ),
    Code(
        "DL3131",
        "a range of columns ends before it begins",
        """\
`source["first":"last"]` is all columns from the first to the last, both of them included, in the order of the source.

    source = csv("pixels.csv", columns = ["p0", "p1", "p2"])
    field x: f32[3] = source["p2":"p0"]                     # wrong

    field x: f32[3] = source["p0":"p2"]
""",
    ),
    Code(
        "DL3132",
        "columns that cannot be stacked",
        """\
`source["a", "b"]` and `source["a":"b"]` put columns side by side: a row is one vector. So rows of all of them have one shape,
and hold numbers or all of them truth values.

    source = inline({ a: [1, 2], b: [[1, 2], [3, 4]] })
    field x: f32[2] = source["a", "b"]                      # wrong: a number beside a row of two

    field x: f32[3] = concat(reshape(source["a"], [1]), source["b"], axis = 0)
""",
    ),
)
