"""Codes of the family `run` about text tables, and about what fields learn from data."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL5060",
        "a file is not a table",
        """\
A CSV file has a line with the names of its columns, and then rows with as many cells, separated by commas. A cell that holds a
comma, a quote or a line end stands in double quotes; a quote inside is doubled. Blank lines are skipped.

Wrong, when line 3 of the file is `5.1;3.5;1.4` and the program says
    source = csv("iris.csv")
Mended:
    source = csv("iris.csv", delimiter = ";")
""",
    ),
    Code(
        "DL5061",
        "a cell has no value",
        """\
A column that is read as numbers or as labels has a cell that is empty, or says that there is no value: `NA`, `NaN`, `null`,
`None`, `?`, `-`. What is missing is never guessed: the program says what becomes of it.

Wrong, a file with the lines
    width,length
    3.5,
Mended: fill the cell in, or leave out all rows that lack a value, or let a number stand for what is missing
    source = csv("iris.csv", missing = "drop")
    source = csv("iris.csv", missing = 0)
""",
    ),
    Code(
        "DL5062",
        "a cell is not a number",
        """\
A column that is read as numbers holds something else. The type of a column is the one that holds all its cells: i64 where all
are whole numbers, f64 where there is a fraction, bool where all are `true` or `false`. Text is read by a function.

Wrong, when `species` holds names:
    field species: i64[] = source["species"]
Mended:
    field species: i64[] = classes(source["species"])
""",
    ),
    Code(
        "DL5063",
        "a file holds no readable text",
        """\
Text files are read as UTF-8, which holds every script. The message names the first line that is something else: in another
encoding, with a zero byte, or longer than 16 MiB, as no line of a table is.

Mended: save the file as UTF-8; with iconv, for a file in Latin-1:
    iconv -f latin1 -t utf-8 old.csv > new.csv
""",
    ),
    Code(
        "DL5064",
        "a label that the training part does not have",
        """\
`classes(source["species"])` numbers the labels of the training part, and no others: the model has learned nothing about a label
it has never seen. The message names the first row of the data that has one.

Mended: correct the label, or train on data in which it occurs. In a small set, keep the shares of the classes when splitting:
    split    = { val: 0.2 }
    stratify = species
""",
    ),
    Code(
        "DL5065",
        "columns of a file cannot be told apart, or are in another order",
        """\
A field reads a column whose name stands twice in the file's header, or a range of columns that ends before it begins.

Wrong, when the header is `b,a`:
    field x: f32[2] = source["a":"b"]
Mended:
    field x: f32[2] = source["a", "b"]
""",
    ),
    Code(
        "DL5066",
        "columns of a file cannot be read together",
        """\
Columns that are stacked (`source["a", "b"]`) have rows of one shape, of numbers or of truth values. And one column of a text
file is read either as numbers or as text.

Wrong, when `kind` holds names:
    field kind: i64[] = classes(source["kind"])
    field x: f32[2]   = source["width", "kind"]
Mended:
    field x: f32[]    = source["width"]
""",
    ),
    Code(
        "DL5067",
        "a column does not hold what a function of fields reads",
        """\
`classes` reads labels, which are text or whole numbers: fractions have no classes. `tokenize` reads text, and needs a word in it
somewhere to learn a vocabulary.

Wrong, when `width` holds 3.5:
    field kind: i64[] = classes(source["width"])
Mended:
    field wide: i64[] = cast(source["width"] > 3, i64)
""",
    ),
    Code(
        "DL5068",
        "what the fields of a run learned is not there",
        """\
A vocabulary, the order of classes, means and deviations are learned from the training part and saved in the run's folder, in
`fields.json`; weights mean nothing without them. The file is missing, damaged, or not the one that the weights were trained
with, or the run's program was changed by hand.

Mended: copy the folder of a run whole, or train again:
    dslc train model.dl --out runs/model
""",
    ),
    Code(
        "DL5069",
        "a part of the data is shorter than a window",
        """\
Windows are cut in each part of the data on its own, so that none reaches from one into another. So every part needs at least as
many rows as the windows of all fields reach over.

Wrong, with 100 rows, of which `val` has 10:
    field x: f32[12] = window(source["x"], length = 13)[:12]
    split = { val: 0.1 }
Mended:
    split = { val: 0.2 }
""",
    ),
    Code(
        "DL5070",
        "a whole number does not fit into the type of its field",
        """\
Whole numbers of columns are reckoned with as i64 and converted to the field's declared type at the end. A type that does not
hold a result would wrap it: -1 would become 255 in u8. The message names the first row.

Wrong, when `pixel` holds numbers below 33:
    field pixel: u8[784] = source["pixel"] - 33
Mended:
    field pixel: i32[784] = source["pixel"] - 33
""",
    ),
)
