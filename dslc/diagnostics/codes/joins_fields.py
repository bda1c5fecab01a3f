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
    Code(
        "DL3133",
        "an option of a function of fields is too small",
        """\
A vocabulary needs at least 3 ids, because 0 is padding and 1 stands for every token that is not in it. Lengths and strides are
at least 1, an offset at least 0.

    field x: i64[4] = tokenize(source["text"], vocab = 2, length = 4)       # wrong: no id is left for a word

    field x: i64[4] = tokenize(source["text"], vocab = 1000, length = 4)
""",
    ),
    Code(
        "DL3134",
        "a function of fields is applied to something else",
        """\
`standardize` and `window` need numbers. `lengths` counts the ids of a row that are not 0, so it needs a row of ids, as
`tokenize` makes it.

    field n: i64[] = lengths(source["text"])                                # wrong: text has no ids

    field n: i64[] = lengths(tokenize(source["text"], vocab = 1000, length = 20))
""",
    ),
    Code(
        "DL3135",
        "a setting that has no meaning for a series",
        """\
Where fields are windows over neighbouring rows, the parts of a split are neighbouring rows too: `train` is the beginning, then
come `val` and `test`. Rows are neither shuffled nor sorted by class before that; the windows of `train` are shuffled in training.
And no row is left out, since windows would reach over the gap: a number may stand for what is missing (`csv(..., missing = 0)`).

    field x: f32[12] = window(source["x"], length = 12)
    split        = { val: 0.1 }
    shuffle_seed = 7                    # wrong

    split        = { val: 0.1 }
""",
    ),
    Code(
        "DL3136",
        "windows that do not go together",
        """\
One sample is one window of the series, in all fields: window i of each begins at row i * stride, plus its own offset. So either
all fields of a block are windows or none, they have one stride, and a window is not cut of windows.

    field x: f32[12] = window(source["x"], length = 12)
    field y: f32[]   = source["x"]                                          # wrong: a value for every row

The row after the window, from a window that is one longer, or from one that begins later:

    field x: f32[12] = window(source["x"], length = 13)[:12]
    field y: f32[]   = window(source["x"], length = 13)[12]
    field z: f32[]   = window(source["x"], length = 1, offset = 12)[0]
""",
    ),
)
