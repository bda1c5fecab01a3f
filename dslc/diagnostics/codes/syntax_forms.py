"""Codes about the forms of statements and expressions."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL0001",
        "something that cannot stand here",
        """\
The text does not fit the grammar at this place. The message says what was found and what could stand there
instead. One such mistake is reported for each statement, and the statements after it are read as usual.

    input x f32[B, 2]                   # wrong: expected `:` after the name

    input x: f32[B, 2]
""",
    ),
    Code(
        "DL0010",
        "a value is missing",
        """\
After `=`, an operator, `(` or a comma a value is expected, and the line ends or a closing sign comes first.

    let width =                         # wrong
    y = x +                             # wrong: a line end ends the statement

    let width = 4
    y = (x +
         b)                             # inside brackets a line may end anywhere
""",
    ),
    Code(
        "DL0011",
        "a line end in the wrong place",
        """\
A line end ends a statement, except inside `( )`, `[ ]` and a record's `{ }`, and except when the next line
begins with `|>`, `then` or `else`. So a block's `{` stands on the line of its head, and a long sum goes into
parentheses.

    y = a
      + b                               # wrong

    y = (a
      + b)
""",
    ),
    Code(
        "DL0012",
        "`=` where two things are compared",
        """\
`=` gives a name to a value; `==` compares.

    if stride = 1 { ... }               # wrong
    expect net.y = [1]                  # wrong

    if stride == 1 { ... }
    expect net.y == [1]
""",
    ),
    Code(
        "DL0013",
        "`:` and `=` mixed up",
        """\
Keyword arguments are given with `=`; entries of records, labels and types are given with `:`.

    fc1 = Dense(units: 64)              # wrong
    split = { val = 0.1 }               # wrong

    fc1 = Dense(units = 64)
    split = { val: 0.1 }
""",
    ),
    Code(
        "DL0014",
        "comparisons in a chain",
        """\
A comparison gives true or false, which cannot be compared again.

    require 0 < p < 1                   # wrong

    require 0 < p and p < 1
""",
    ),
    Code(
        "DL0015",
        "parentheses are needed",
        """\
`|>` binds weaker than every operator, and `if ... then ... else ...` takes no part in operators. Where they
meet, parentheses say what is meant.

    h = x |> norm + x                   # wrong
    y = if c then a else b |> relu      # wrong

    h = (x |> norm) + x
    y = (if c then a else b) |> relu
""",
    ),
    Code(
        "DL0017",
        "a value that nothing takes",
        """\
A statement gives a value a name, or is one of the settings and declarations of its block. A value alone has no
effect.

    x |> fc1: Dense(64) |> relu         # wrong
    net.hidden = 3                      # wrong: only names are given values

    h = x |> fc1: Dense(64) |> relu
""",
    ),
    Code(
        "DL0018",
        "an expectation that compares nothing",
        """\
`expect` compares two values: by `==`, `!=`, `<`, `<=`, `>`, `>=`, or by `~=` up to a tolerance. `expect error
CODE` expects a diagnostic.

    expect net.y                        # wrong
    expect all(net.y > 0)               # wrong

    expect net.y == [1]
    expect min(net.y) > 0
""",
    ),
    Code(
        "DL0019",
        "not a tensor type",
        """\
A tensor's type is an element type with a shape in brackets, empty for a scalar: `f32[B, 3, 32, 32]`, `i64[]`,
`float[..., D]`.

    input x: f32                        # wrong
    input x: [B, 784]                   # wrong

    input x: f32[]
    input x: f32[B, 784]
""",
    ),
    Code(
        "DL0020",
        "a statement in the wrong place",
        """\
A file holds `dim`, `model`, `block`, `cell`, `data`, `train`, `test` and imports; all other statements belong
in a block of one of these, and these do not hold one another.

    x = 3                               # wrong: outside every block

    model Net {
      let x = 3
    }
""",
    ),
    Code(
        "DL0021",
        "a comma is missing",
        """\
Arguments, items of lists, entries of records and sizes are separated by commas. A comma after the last one is
allowed.

    x = [1 2]                           # wrong

    x = [1, 2]
""",
    ),
    Code(
        "DL0022",
        "a construct of another language",
        """\
The language describes a network; it has no functions, classes, loops or imports of code. Layers are made as
`block`s, recurrence is a `cell` under `scan`, repetition is `repeat(n) { ... }`.

    for i in range(3):                  # wrong
        x = Dense(64)(x)

    y = x |> stack: repeat(3) { Dense(64) |> relu }
""",
    ),
)
