"""What names that only the checker knows mean to a reader: functions without an operator, penalties, sources. Prose only."""

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
        "rank",
        "rank(x)",
        """The number of a tensor's axes.

        For blocks that take tensors of several ranks and need so many axes: `require rank(x) >= 2, "..."`.""",
        "let axes = rank(x)\ny = sum(x, axis = axes - 1)",
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
        "scan(cell, axis = 1, reverse = false, init = { state: value }, return_state = false, lengths = none)",
        """A layer that runs a cell along the time axis of a sequence.

        The cell says what one step does; the outputs get the time axis where the inputs have it, aligned with them also in
        reverse. `init` gives states their values before the first step, and with `return_state` the states after the last
        one follow the outputs. `lengths` says how many steps of each sample are real: beyond them its states stay and its
        outputs are 0. It adds nothing to the keys of parameters.""",
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

_STARTS = (
    Builtin(
        "weights",
        'weights(path, only = "*", prefix = "")',
        """The weights of a run or of a safetensors file, which a model in use starts from.

        `path` is relative to the program. Each parameter and buffer is read from the tensor of its key, with `prefix` in front;
        `only` is a pattern of keys or a list of them. Without it, the file holds exactly the tensors of the model.""",
        'use other = Net(init = weights("runs/a", only = "fc1.*"))',
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
    Builtin(
        "csv",
        'csv("file.csv", delimiter = ",", columns = none, missing = "error")',
        """A table in a text file: one row per sample, cells separated by `delimiter`.

        The first line names the columns; where it does not, `columns` is the list of all names in order. The type of a column
        is the one that holds all its cells: i64, f64, or bool of `true` and `false`. Text is read by `classes` and
        `tokenize`. Cells in double quotes may hold anything; blank lines are skipped; UTF-8. A missing value (an empty cell,
        `NA`, `NaN`, `null`, `None`, `?`, `-`) in a column of numbers or labels is an error that names its line. With
        `missing = "drop"` rows that lack a value in a column that is read are left out, and with `missing = 0` that number,
        or another, stands for what is missing in columns of numbers.""",
        """source = csv("iris.csv")
field x: f32[4]      = source["sepal length":"petal width"]
field species: i64[] = classes(source["species"])""",
    ),
    Builtin(
        "idx",
        'idx(column = "file")',
        """Arrays in the format that MNIST is published in, a file for each column, plain or gzipped.

        The first axis of each file counts the samples. Paths are relative to the program.""",
        """source = idx(image = "train-images-idx3-ubyte.gz", label = "train-labels-idx1-ubyte.gz")
field image: f32[28, 28] = source["image"] / 255
field label: i64[]       = source["label"]""",
    ),
    Builtin(
        "text_lines",
        'text_lines("file.txt", unit = "lines")',
        """Plain text in UTF-8, a row for each line that is not blank; its one column is `text`.

        With `unit = "characters"` a row is one character, blanks and line ends included: a series that `window` cuts.""",
        """source = text_lines("play.txt", unit = "characters")
field x: i64[64] = window(tokenize(source["text"], vocab = 100), length = 65)[:64]
field y: i64[64] = window(tokenize(source["text"], vocab = 100), length = 65)[1:]""",
    ),
)

_FIELD_FUNCTIONS = (
    Builtin(
        "classes",
        'classes(source["column"])',
        """Labels as ids: an i64 for each row, from 0, in the order of the labels.

        The column holds text or whole numbers; spaces around text in a file do not count. Text is ordered by its
        characters, numbers by size. The labels are those of the training part; another one in the data is an error. They
        name the classes in the report of `dslc eval`.""",
        """source = inline({ kind: ["cat", "dog", "cat"] })
field kind: i64[] = classes(source["kind"])""",
    ),
    Builtin(
        "tokenize",
        'tokenize(source["column"], vocab, length = none, unit = "words", lower = none)',
        """Text as ids of a vocabulary: i64[length], or i64[] without `length`, where each text is one token.

        Id 0 is padding and 1 a token that is not in the vocabulary; then come the `vocab - 2` most frequent tokens of the training
        part, the most frequent first, equally frequent ones by their characters. Ids after the first `length` are cut off, missing
        ones are 0. Words are what stands between spaces, punctuation and symbols; an apostrophe inside a word belongs to it.
        With `unit = "characters"` every character is a token. `lower` makes small letters of text first; by default of
        words. Text is brought into the normal form NFC.""",
        """source = inline({ text: ["deep learning", "learning to read"] })
field tokens: i64[4] = tokenize(source["text"], vocab = 100, length = 4)""",
    ),
    Builtin(
        "lengths",
        "lengths(ids)",
        """How many ids of a row are not 0, as an i64: the length of a text before padding, `length` at most.

        It is 0 for a text without tokens.""",
        """source = inline({ text: ["deep learning", "learning to read"] })
field n: i64[] = lengths(tokenize(source["text"], vocab = 100, length = 4))""",
    ),
    Builtin(
        "standardize",
        "standardize(x)",
        """(x - mean) / deviation, for each element of a row on its own.

        Mean and deviation (the root of the mean of squares, not that of a sample) are those of the training part; where an element
        is the same in all its rows, the deviation counts as 1. Integers become f64.""",
        """source = inline({ width: [1.5, 2, 4], length: [3, 3, 5] })
field x: f32[2] = standardize(source["width", "length"])""",
    ),
    Builtin(
        "window",
        "window(x, length, stride = 1, offset = 0)",
        """Neighbouring rows of a series as one sample: window i holds the rows from i * stride + offset, `length` of them.

        All fields of the block are windows then, of one stride. There are as many as fit whole in a part, counting the longest
        reach of the fields; parts are split off in the order of the rows, and windows are cut in each on its own.""",
        """source = inline({ x: [1, 2, 3, 5, 8, 13, 21] })
field past: f32[3]  = window(source["x"], length = 4)[:3]
field after: f32[] = window(source["x"], length = 4)[3]""",
    ),
)

FUNCTIONS: dict[str, Builtin] = {builtin.name: builtin for builtin in _FUNCTIONS}
PENALTIES: dict[str, Builtin] = {builtin.name: builtin for builtin in _PENALTIES}
FIELD_FUNCTIONS: dict[str, Builtin] = {builtin.name: builtin for builtin in _FIELD_FUNCTIONS}
STARTS: dict[str, Builtin] = {builtin.name: builtin for builtin in _STARTS}
SOURCES: dict[str, Builtin] = {builtin.name: builtin for builtin in _SOURCES}
