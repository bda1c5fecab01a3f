"""Codes about test blocks."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL3060",
        "`given` names no input",
        """\
`given` gives a value to an input of the models the test uses, and none of them has an input of this name.

    model Neuron { input x: f32[B, 2] ... }

    test "fires" { use n = Neuron(); given z = [[1, 1]] ... }           # wrong

    test "fires" { use n = Neuron(); given x = [[1, 1]] ... }
""",
    ),
    Code(
        "DL3061",
        "an input has no `given`",
        """\
An expectation reads a value of a model, and for that the model's inputs need values.

    test "fires" { use n = Neuron(); expect n.y == [1] }                # wrong: of which `x`?

    test "fires" { use n = Neuron(); given x = [[1, 1]]; expect n.y == [1] }
""",
    ),
    Code(
        "DL3062",
        "a given value does not fit its input",
        """\
The value of a `given` has another shape than the input it is for, or elements that the input's type cannot hold. A literal
takes the input's element type.

    input x: f32[B, 2]
    given x = [1, 2]                    # wrong: one sample, but no batch axis

    given x = [[1, 2]]
""",
    ),
    Code(
        "DL3063",
        "the two sides of an expectation do not fit",
        """\
The sides of a comparison must have equal shapes; nothing is broadcast, so that a test cannot pass by accident.

    expect net.p == 1                   # wrong: net.p is f32[4, 1]

    expect net.p == [[1], [1], [1], [1]]
    expect mean(net.p) == 1
""",
    ),
    Code(
        "DL3064",
        "`expect error` must stand alone",
        """\
A test with `expect error` is about one mistake. It has no other expectation: after the mistake there is nothing to
compare.

    test "bad" { use net = MLP(hidden = 0); expect error DL2007; expect params(net) == 5 }      # wrong

    test "bad" { use net = MLP(hidden = 0); expect error DL2007 }
""",
    ),
    Code(
        "DL3065",
        "unknown code in `expect error`",
        """\
`expect error` names the code of an error of dslc: `DL` and four digits. Warnings cannot be expected.

    expect error DL9999                 # wrong

    expect error DL2007

`dslc explain CODE` says what a code means.
""",
    ),
    Code(
        "DL3066",
        "`train` in a test does not fit",
        """\
`train name` runs one train block of this file and brings what it uses into the test. A test trains at most one, and then
makes no models of its own.

    test "learns" { train xr; expect train.loss < 0.1 }                 # wrong: no such block

    test "learns" { train xor; expect train.loss < 0.1 }
""",
    ),
    Code(
        "DL3067",
        "unknown result of a training run",
        """\
After `train name`, a test can read the loss and the metrics of the parts of the data: `train.loss`, `val.accuracy`. The
metric must be one of the train block's, and the part must exist.

    expect val.acc > 0.9                # wrong where the metric is called `accuracy`

    expect val.accuracy > 0.9
""",
    ),
    Code(
        "DL3068",
        "a test that expects nothing",
        """\
A test has no `expect`, so it could not fail.

    test "works" { use net = MLP() }    # wrong

    test "works" { use net = MLP(); expect params(net) == 101_770 }
""",
    ),
    Code(
        "DL3069",
        "a side of an expectation is wrongly formed",
        """\
`golden`, `onnx`, `shape` and `params` stand alone on one side of an expectation and take one argument: a path in quotes,
a value, a value, the name of a `use`.

    expect 2 * golden("y.json") ~= net.y                    # wrong
    expect params(net.y) == 5                               # wrong: a value has no parameters of its own

    expect net.y ~= golden("y.json")
    expect params(net) == 5
""",
    ),
    Code(
        "DL3070",
        "`within` is wrongly used",
        """\
`within` is the tolerance of `~=`: `a ~= b within t` holds where |a - b| <= t * (1 + |b|). It is a number that is not
negative, and the other comparisons have none.

    expect net.y == 1 within 1e-6       # wrong

    expect net.y ~= 1 within 1e-6
""",
    ),
    Code(
        "DL3071",
        "a golden file lies outside the program's folder",
        """\
`--update` writes goldens, so their paths are relative and stay inside the folder of the program.

    expect net.y ~= golden("../y.json")                     # wrong

    expect net.y ~= golden("golden/y.json")
""",
    ),
)
