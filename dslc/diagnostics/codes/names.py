"""Codes of the family `names`: what a name means, how layers are made and labelled, what a construct is called."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL1001",
        "a name means nothing here",
        """\
An expression uses a name that nothing defines: no value above it, no input, parameter, hyper-parameter,
dimension or function.

    h = x |> relu
    y = g + 1            # there is no `g`

Mended:

    y = h + 1
""",
    ),
    Code(
        "DL1002",
        "a name is used before it is defined, or is not defined in every branch",
        """\
Statements are read from top to bottom: a value can use only what stands above it. After an `if`, only names that
all its branches define are visible.

    y = relu(h)          # `h` comes later
    h = x @ w

Mended: the other order.

    h = x @ w
    y = relu(h)
""",
    ),
    Code(
        "DL1003",
        "there is no layer of this name",
        """\
A capitalised name is a layer: a block or model of this file, or one of the standard layers that `dslc doc` lists.

    y = x |> fc: Dens(10)

Mended:

    y = x |> fc: Dense(10)
""",
    ),
    Code(
        "DL1004",
        "there is no function of this name",
        """\
A lower-case name in front of `(`, or after `|>`, is a function, or a layer that was named with `layer`.
`dslc doc` lists all functions.

    y = x |> rleu

Mended:

    y = x |> relu
""",
    ),
    Code(
        "DL1005",
        "something has no member of this name",
        """\
`net.NAME` reads a value, parameter or layer of a model, `enc.weight` a parameter of a layer, `data.NAME` a field.
Tensors have no members: what other languages write as `x.shape` is a function, `shape(x)`.

    loss = mse(net.logit, data.y)      # the model calls it `logits`

Mended:

    loss = mse(net.logits, data.y)
""",
    ),
    Code(
        "DL1006",
        "a name is defined twice",
        """\
A name is given a value once. Two definitions of one name would make its meaning depend on the place.

    h = x @ w
    h = relu(h)

Mended: two names, or one expression.

    h = x @ w |> relu
""",
    ),
    Code(
        "DL1007",
        "a name is capitalised, or not, against the rule",
        """\
What owns parameters or randomness starts with a capital letter: models and blocks. Values start with a
lower-case letter. So `Foo(x)` makes a layer and `foo(x)` calls a function, for every reader.

    model mlp { ... }

Mended:

    model Mlp { ... }
""",
    ),
    Code(
        "DL1008",
        "a keyword cannot be a new name",
        """\
Keywords are reserved for new names only; as a member (`net.data`), a label or a keyword argument they are fine.

    param = x @ w

Mended:

    p = x @ w
""",
    ),
    Code(
        "DL1010",
        "an argument does not exist",
        """\
A layer's arguments are its hyper-parameters, a function's are its options; the message lists them.

    y = x |> fc: Dense(10, use_bias = false)

Mended:

    y = x |> fc: Dense(10, bias = false)
""",
    ),
    Code(
        "DL1011",
        "two parameters or labels are equal",
        """\
A parameter's key is its path of labels, such as `stage.fc.weight`: one name in the checkpoint, in patterns and in
ONNX. So labels of one body are all different, and so are keys.

    y = x |> fc: Dense(64) |> relu |> fc: Dense(10)

Mended:

    y = x |> fc1: Dense(64) |> relu |> fc2: Dense(10)
""",
    ),
    Code(
        "DL1012",
        "layers need labels",
        """\
The parameters of a layer are named by its label, else by the name its statement assigns. That is clear only where
the statement holds exactly one layer with parameters; nothing is numbered by its place in the file.

    y = x |> Dense(64) |> relu |> Dense(10)

Mended:

    y = x |> fc1: Dense(64) |> relu |> fc2: Dense(10)
""",
    ),
    Code(
        "DL1013",
        "an argument is missing",
        """\
A hyper-parameter or option without a default must be given, and functions and layers need all their tensors.

    y = x |> fc: Dense()

Mended:

    y = x |> fc: Dense(10)
""",
    ),
    Code(
        "DL1014",
        "too many arguments, or one given twice",
        """\
Positional arguments fill the parameters in order, keywords the rest; each may be given once.

    y = x |> fc: Dense(10, units = 10)

Mended:

    y = x |> fc: Dense(units = 10)
""",
    ),
    Code(
        "DL1015",
        "a layer or initialiser is named without being made",
        """\
Layers are made by calling them with their hyper-parameters, even where there are none to give: every
use that makes new parameters is visible as a call.

    y = x |> Dropout

Mended:

    y = x |> Dropout()
""",
    ),
    Code(
        "DL1016",
        "this cannot be called",
        """\
Only functions, layers and models can be applied.

    h = x @ w
    y = h(x)

Mended:

    y = h * x
""",
    ),
    Code(
        "DL1017",
        "a layer's member is read before the layer is used",
        """\
The sizes of a layer's parameters come from its first input, so that `enc.weight` exists only below the first use
of `enc`.

    layer enc = Dense(32)
    y = x @ enc.weight

Mended:

    layer enc = Dense(32)
    z = enc(x)
    y = z @ transpose(enc.weight)
""",
    ),
    Code(
        "DL1018",
        "an output is never given a value",
        """\
Every declared output is assigned in the body, in every branch of a compile-time `if`; a model or block has at least one.

    output y: f32[B, 10]
    h = x |> fc: Dense(10)

Mended:

    output y: f32[B, 10]
    y = x |> fc: Dense(10)
""",
    ),
    Code(
        "DL1019",
        "a statement cannot stand here",
        """\
Models and blocks hold `input`, `output`, `param`, `layer`, `let`, `require`, `if` and assignments. Inputs and dimensions
are the head of a body and cannot depend on an `if`; `use`, `given`, `expect` belong to train and test blocks.

    model M { given x = [1] }

Mended:

    test "m" { use m = M()
               given x = [1] }
""",
    ),
    Code(
        "DL1020",
        "a dimension is not declared",
        """\
A size in a type is a number, a hyper-parameter, or a dimension declared with `dim`. An unknown name is an
error and never a new dimension, so that a slip of the pen cannot make two sizes different.

    dim B
    model M { input x: f32[Bt, 10] ... }

Mended:

    dim B
    model M { input x: f32[B, 10] ... }
""",
    ),
    Code(
        "DL1021",
        "there is no element type of this name",
        """\
Element types are f16 f32 f64 i8 u8 i32 i64 bool; in a block `float` and `int` stand for any type of their kind.

    input x: float32[B, 10]

Mended:

    input x: f32[B, 10]
""",
    ),
    Code(
        "DL1022",
        "there is no initialiser of this name",
        """\
A parameter starts as a number, a list of numbers, or what an initialiser draws.

    param w: f32[4, 4] = xavier_uniform()

Mended:

    param w: f32[4, 4] = glorot_uniform()
""",
    ),
    Code(
        "DL1023",
        "no input says what a dimension is",
        """\
The dimensions of a block are bound by its inputs at each call: every one stands alone in some input's type.

    block Pool {
      dim H
      input x: f32[B, 2 * H]
      ...

Mended: name the size itself, and divide where it is used.

      input x: f32[B, H]
      output y: f32[B, H / 2]
""",
    ),
    Code(
        "DL1030",
        "definitions form a cycle",
        """\
A value may use only names defined above it. Where two definitions need each other no order helps:
the cycle is named in the message. A value that depends on its own past belongs in a `cell`.

    a = b + 1
    b = a * 2

Mended: start from something that is known.

    a = x + 1
    b = a * 2
""",
    ),
    Code(
        "DL1031",
        "a block contains itself",
        """\
Blocks are unrolled when the program is compiled; one that uses itself would never end.

    block Deep { input x: f32[..., 8]
                 output y: f32[..., 8]
                 y = x |> inner: Deep() }

Mended: say how often.

    y = x |> stack: repeat(4) { Layer() }
""",
    ),
    Code(
        "DL1091",
        "expressions and blocks are nested too deeply",
        """\
Blocks inside blocks and brackets inside brackets together may be some hundred levels deep. Name parts of the
expression with statements of their own, or use `repeat(n) { ... }`.
""",
    ),
)
