"""Codes about train blocks: the joins between model, data, loss and optimizer."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL3030",
        "`use` does not make a model",
        """\
`use` gives a name to a model with its hyper-parameters. Layers, blocks and functions belong inside a model.

    use net = Dense(10)                 # wrong: a layer
    use net = Mlp()                     # wrong: there is no such model

    use net = MLP()
    use net = MLP(hidden = 256)
""",
    ),
    Code(
        "DL3031",
        "an input of the model has no field",
        """\
The inputs of a model take the fields of the same name from the data block. This input finds none.

    model MLP { input image: f32[B, 784] ... }
    data digits { field pixels: f32[784] = source["pixels"] ... }

    train mlp { use net = MLP(); data = digits ... }        # wrong: no field `image`

Rename the field, or bind it by hand:

    use net = MLP()(data.pixels)
""",
    ),
    Code(
        "DL3032",
        "a field and an input differ in element type",
        """\
The field that feeds an input holds elements of another type. Element types are never converted silently.

    input image: f32[B, 784]
    field image: u8[784] = source["image"]                  # wrong

Declare the field with the type the model takes; the column is converted to it:

    field image: f32[784] = source["image"] / 255
""",
    ),
    Code(
        "DL3033",
        "a field and an input differ in shape",
        """\
A field is one sample. The input it feeds has the same shape with the batch in front.

    input image: f32[B, 784]
    field image: f32[28, 28] = source["image"]              # wrong: 28 x 28 is not 784

Change one of them:

    input image: f32[B, 28, 28]
""",
    ),
    Code(
        "DL3034",
        "an input has no batch axis",
        """\
Training feeds samples in batches, so axis 0 of every input of the model is a run-time size, the same for all inputs.

    input x: f32[2]                     # wrong: one sample only

    dim B
    input x: f32[B, 2]
""",
    ),
    Code(
        "DL3035",
        "the loss is not a single number",
        """\
What training makes small is one floating number, a scalar. This expression has another type.

    loss = (net.y - data.y) ** 2        # wrong: one number for each sample

Take the mean over them, or use one of the losses, which do:

    loss = mean((net.y - data.y) ** 2)
    loss = mse(net.y, data.y)
""",
    ),
    Code(
        "DL3036",
        "a metric is not a single number",
        """\
A metric is reported as one number for each epoch, so it is a scalar.

    metrics = { hits: argmax(net.logits, axis = -1) == data.label }     # wrong: one for each sample

    metrics = { hits: accuracy(net.logits, data.label) }
""",
    ),
    Code(
        "DL3100",
        "a metric of all batches is mixed with a tensor of one",
        """\
Some metrics (`f1`, `auc`, `r2`, `rmse`, `perplexity`) are no means over samples. They are known when all batches have contributed.
What is computed from them is computed once, from single numbers; a tensor with a row for each sample is gone by then.

    metrics = { score: mean(net.y * r2(net.y, data.y)) }      # wrong: `net.y` of which batch?

    metrics = { score: mean(net.y) * r2(net.y, data.y) }
    metrics = { mean: mean(net.y), r2: r2(net.y, data.y) }
""",
    ),
    Code(
        "DL3037",
        "not an optimizer",
        """\
`optimizer` takes an optimizer with its options in parentheses.

    optimizer = adamm(lr = 1e-3)        # wrong: no such optimizer
    optimizer = "adam"                  # wrong: a string

    optimizer = adam(lr = 1e-3)

`dslc doc` lists the optimizers with their formulas.
""",
    ),
    Code(
        "DL3038",
        "an optimizer's option is unknown or of the wrong kind",
        """\
An option was given that the optimizer does not have, twice, or with a value that is not a plain number (or `true` or
`false` where it is a switch).

    optimizer = adam(learning_rate = 1e-3)                  # wrong: the option is `lr`

    optimizer = adam(lr = 1e-3)
""",
    ),
    Code(
        "DL3040",
        "unknown data block",
        """\
`data` names a data block of this file, and there is none of this name.

    data = mnst                         # wrong

    data = mnist
""",
    ),
    Code(
        "DL3041",
        "an id of the data lies beyond the logits or the table",
        """\
Ids count from 0, so logits for `n` classes, and a table of `n` rows, go with the ids 0 to n - 1. The data holds another id.

    output logits: f32[B, 2]
    source = inline({ ..., label: [0, 1, 2] })              # wrong: 2 has no logit

Make one output for every class, or number the classes from 0:

    output logits: f32[B, 3]
""",
    ),
    Code(
        "DL3042",
        "the loss does not depend on a model",
        """\
The loss reads no parameter, so nothing can be learned from it.

    loss = mean(data.y)                 # wrong: the same whatever the model does

    loss = mse(net.y, data.y)
""",
    ),
    Code(
        "DL3043",
        "trained parameters are of several element types",
        """\
An optimizer works on all trained parameters as one vector, which has one element type.

    param scale: f64[] = ones()         # wrong beside a weight of f32
    param w: f32[4, 2] = glorot_uniform()
    y = cast(cast(x, f64) * scale, f32) @ w

Declare the parameters in one type, and convert where they are used:

    param scale: f32[] = ones()
    param w: f32[4, 2] = glorot_uniform()
    y = cast(cast(x, f64) * cast(scale, f64), f32) @ w
""",
    ),
    Code(
        "DL3044",
        "a layer with parameters is made outside a model",
        """\
Train and test blocks name their models with `use`; the name is how values, parameters and keys are read, saved and
exported. Parameters made inside a loss would have no name.

    loss = mse(Mlp()(data.x), data.y)

Mended:

    use net = Mlp()
    loss = mse(net.y, data.y)
""",
    ),
)
