"""Codes about data blocks: sources, columns, splits and fields."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL3010",
        "not a data source",
        """\
`source` takes a data source, or a record of them by part.

    source = "digits.npz"               # wrong: a path alone does not say how to read it

    source = npz("digits.npz", image = "x", label = "y")
    source = { train: csv("train.csv"), test: csv("test.csv") }
    source = inline({ x: [[0, 1], [1, 0]], y: [1, 0] })

`dslc doc` lists all data sources.
""",
    ),
    Code(
        "DL3011",
        "the arguments of a data source do not fit",
        """\
A data source was called in a way it does not understand.

    source = npz(image = "x")           # wrong: no path
    source = inline([[0, 1], [1, 0]])   # wrong: columns have names

`npz` takes a path and then `column = "array"` for the arrays to read; without any, every array is a column under its own
name. `csv` and `text_lines` take a path and then their options, `idx` a file for each column. `inline` takes a record of
columns, each a list with one row for every sample.

    source = npz("digits.npz", image = "x")
    source = inline({ x: [[0, 1], [1, 0]] })
""",
    ),
    Code(
        "DL3012",
        "rows differ in length",
        """\
A list that is to be an array has rows of different lengths. Arrays are rectangular.

    x: [[0, 0], [0, 1, 1]]              # wrong: 2 values, then 3

    x: [[0, 0, 0], [0, 1, 1]]
""",
    ),
    Code(
        "DL3013",
        "a list mixes kinds of values",
        """\
All elements of an array are of one kind: numbers, booleans or strings. Whole numbers and fractions may be mixed; they
all become fractions. Elements are written out, not computed.

    y: [1, 0, true]                     # wrong: numbers and a boolean
    y: [1, sqrt(2)]                     # wrong: computed

    y: [1, 0, 1]
""",
    ),
    Code(
        "DL3014",
        "columns differ in length",
        """\
A row across all columns is one sample, so every column of inline data has as many rows as the others.

    source = inline({ x: [[0, 1], [1, 0]], y: [1] })        # wrong: 2 rows, 1 row

    source = inline({ x: [[0, 1], [1, 0]], y: [1, 0] })
""",
    ),
    Code(
        "DL3015",
        "unknown column",
        """\
A field reads a column that the source does not have. The columns of `npz` are those named in the call, or, if none is,
the arrays of the file.

    source = npz("digits.npz", image = "x_train")
    field label: i64[] = source["label"]                    # wrong: only `image` is named

Name the column where the source is made:

    source = npz("digits.npz", image = "x_train", label = "y_train")
""",
    ),
    Code(
        "DL3016",
        "the shares of a split do not add up",
        """\
`split` takes parts away from the training data: each share is at least 0 and below 1, and `train` keeps what is left.

    split = { val: 10 }                 # wrong: a tenth is 0.1
    split = { val: 0.5, test: 0.5 }     # wrong: nothing is left to train on
    split = { train: 0.8, val: 0.1 }    # wrong: what about the last tenth?

    split = { val: 0.1 }
    split = { train: 0.8, val: 0.1, test: 0.1 }
""",
    ),
    Code(
        "DL3017",
        "a part comes from two places",
        """\
A part of the data has a source of its own and is also given a share of the training data.

    source = { train: npz("a.npz"), test: npz("b.npz") }
    split  = { test: 0.2 }              # wrong: the test part is b.npz already

Keep one of the two:

    split  = { val: 0.2 }
""",
    ),
    Code(
        "DL3018",
        "unknown part of the data",
        """\
Data has at most three parts: `train` to learn from, `val` to watch while learning, `test` to judge the result.

    split = { valid: 0.1 }              # wrong

    split = { val: 0.1 }
""",
    ),
    Code(
        "DL3019",
        "a field's value does not have its declared type",
        """\
A field declares the type of one sample, without a batch axis, and the model's inputs are checked against it. What its
expression gives has another shape or cannot be converted.

    source = inline({ x: [[0, 1], [1, 0]] })                # a sample is a row of 2
    field x: f32[3] = source["x"]                           # wrong

    field x: f32[2] = source["x"]
""",
    ),
    Code(
        "DL3020",
        "a fraction would become a whole number",
        """\
A field that is declared with an integer type is given fractions. They would have to be cut off, and that is never done
silently. `/` in a field is true division, so its result is a fraction too.

    field label: i64[] = source["y"] / 2                    # wrong

Declare a floating type, or say how to round:

    field label: f32[] = source["y"] / 2
    field label: i64[] = cast(floor(source["y"] / 2), i64)
""",
    ),
    Code(
        "DL3021",
        "`stratify` needs a field of class ids",
        """\
`stratify` keeps the shares of the classes equal in all parts of a split. So it names one field that holds a class id (an
integer or a boolean, one for each sample).

    field image: f32[28, 28] = source["image"] / 255
    stratify = image                    # wrong: an image is no class

    field label: i64[] = source["label"]
    stratify = label
""",
    ),
    Code(
        "DL3022",
        "a data block without fields",
        """\
A data block has no `field`, so nothing could be read from it.

    data digits {
      source = npz("digits.npz")        # wrong: what is in it, and of which type?
    }

Declare what a sample holds. The types are checked against the model without opening the file:

    data digits {
      source = npz("digits.npz")
      field image: f32[28, 28] = source["image"] / 255
    }
""",
    ),
    Code(
        "DL3023",
        "`source` is read wrongly",
        """\
In a field, `source["name"]` is a column: one name in brackets and quotes. `source["a", "b"]` are several side by side,
`source["a":"c"]` a range of neighbours, both ends included.

    field x: f32[2] = source            # wrong: which column?
    field x: f32[2] = source[0]         # wrong: columns have names

    field x: f32[2] = source["x"]
""",
    ),
    Code(
        "DL3024",
        "a column of strings is used as numbers",
        """\
A column holds strings. Only a function that makes numbers of text can read it.

    source = inline({ mood: ["good", "bad"] })
    field x: i64[] = source["mood"]     # wrong

Labels become ids, and sentences the ids of their words:

    field x: i64[] = classes(source["mood"])
    field x: i64[8] = tokenize(source["mood"], vocab = 1000, length = 8)
""",
    ),
    Code(
        "DL3025",
        "a data field with parameters",
        """\
A field prepares data; it does not learn. Layers with parameters belong to a model, which is trained and saved.

    field x: f32[8] = source["x"] |> fc: Dense(8)           # wrong

Read the raw data here and put the layer into the model:

    field x: f32[2] = source["x"]
    model Net { input x: f32[B, 2] ... h = x |> fc: Dense(8) ... }
""",
    ),
)
