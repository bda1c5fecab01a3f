"""Codes of the family `lints`: programs that are legal and probably not meant."""

from dslc.diagnostics.codes.entry import Code, Severity

CODES: tuple[Code, ...] = (
    Code(
        "DL4001",
        "a value is computed and never used",
        """\
No output, no other value and no train or test block reads it. Its layers' parameters would get no gradient.
A name that starts with `_` says that this is meant.

    side = x |> aux: Dense(512) |> relu      # nothing reads `side`

Mended: delete the line, or

    _side = x |> aux: Dense(512) |> relu
""",
        Severity.WARNING,
        "unused-value",
    ),
    Code(
        "DL4002",
        "a parameter is never used",
        """\
It would be saved and never learn.

    param w: f32[4, 4] = zeros()             # nothing reads `w`

Mended: delete the line, or use it.
""",
        Severity.WARNING,
        "unused-parameter",
    ),
    Code(
        "DL4003",
        "a layer is named and never used",
        """\
A layer that is applied to nothing has no parameters and computes nothing.

    layer enc = Dense(32)                    # `enc` is never called

Mended: delete the line, or apply it.

    z = enc(x)
""",
        Severity.WARNING,
        "unused-layer",
    ),
    Code(
        "DL4004",
        "an input, a hyper-parameter, a field or a name of a block is never used",
        """\
Whoever gives it a value expects it to matter.

    model M(hidden: int = 8) { ... Dense(10) ... }    # `hidden` changes nothing

Mended:

    model M(hidden: int = 8) { ... Dense(hidden) ... }
""",
        Severity.WARNING,
        "unused-name",
    ),
    Code(
        "DL4005",
        "a parameter gets no gradient",
        """\
The loss of a train block does not depend on it, or only through `stop_gradient`, `step`, `round` or a comparison. It
stays as it starts.

    loss = mse(step(net.logit), data.y)

Mended:

    loss = bce_logits(net.logit, data.y)
""",
        Severity.WARNING,
        "no-gradient",
    ),
    Code(
        "DL4006",
        "no step uses a setting",
        """\
Settings beside the steps of a train block are defaults for steps that have none of their own. Where every step has its
own, the default means nothing, and is probably thought to be the loss of a step that is not there.

    train gan {
      ...
      loss = mse(net.y, data.y)                                 # no step uses it
      step one { update net; loss = mae(net.y, data.y) }
    }

Take it out, or the setting of a step that should use it.
""",
        Severity.WARNING,
        "unused-setting",
    ),
    Code(
        "DL4010",
        "probabilities go into a loss that takes logits",
        """\
`cross_entropy` and `bce_logits` apply softmax or sigmoid themselves. Applied twice, gradients are weak and training slow.

    p = softmax(logits)
    loss = cross_entropy(net.p, data.label)

Mended:

    loss = cross_entropy(net.logits, data.label)
""",
        Severity.WARNING,
        "probabilities-as-logits",
    ),
    Code(
        "DL4011",
        "a loss or a metric gets numbers of another range than it takes",
        """\
`bce` takes probabilities and `nll` takes logarithms of probabilities. What a `Dense` layer gives is any number: `bce` would
take the logarithm of negative numbers, `nll` would fall for ever. `f1` counts what is at least 0 as an answer, which for logits is
a probability of a half.

    loss = bce(net.logit, data.y)
    loss = nll(net.logits, data.label)
    metrics = { f1: f1(net.p, data.y) }

Mended:

    loss = bce_logits(net.logit, data.y)
    loss = cross_entropy(net.logits, data.label)
    metrics = { f1: f1(net.p, data.y, threshold = 0.5) }
""",
        Severity.WARNING,
        "range-of-loss",
    ),
    Code(
        "DL4012",
        "a regression loss compares scores with one-hot codes",
        """\
It works, and learns more slowly than a loss made for classes: the gradient vanishes where the answer is most wrong.

    loss = mse(net.logits, one_hot(data.label, classes = 10))

Mended:

    loss = cross_entropy(net.logits, data.label)
""",
        Severity.WARNING,
        "regression-of-classes",
    ),
    Code(
        "DL4013",
        "a softmax over one element",
        """\
Softmax makes numbers that sum to 1. Of one number it makes 1, whatever the number is, and no gradient flows.

    p = x |> fc: Dense(1) |> softmax

Mended:

    p = x |> fc: Dense(1) |> sigmoid
""",
        Severity.WARNING,
        "constant-softmax",
    ),
    Code(
        "DL4014",
        "an id can lie beyond its table",
        """\
`argmax` over 20 elements gives ids up to 19. A table of 10 rows, or 10 classes, has none of the last ten; such an id stops
the run.

    word = argmax(scores, axis = -1)     # scores: f32[B, 20]
    y = gather(table, word)              # table: f32[10, 8]

Mended:

    param table: f32[20, 8] = normal()
""",
        Severity.WARNING,
        "id-beyond-table",
    ),
    Code(
        "DL4015",
        "samples of a batch are mixed",
        """\
Of f32[B, 1] and f32[B] broadcasting makes f32[B, B]: every sample meets every other. In a loss that averages over pairs
that do not belong together.

    loss = mean(square(net.y - data.y))      # net.y: f32[B, 1], data.y: f32[B]

Mended:

    loss = mean(square(squeeze(net.y, axis = -1) - data.y))
""",
        Severity.WARNING,
        "mixed-batch",
    ),
    Code(
        "DL4016",
        "a class has a weight below 0",
        """\
With `weights` a loss counts every sample as often as the weight of its class says. Where a weight is below 0, the loss falls
without end as the model becomes worse at that class.

    loss = cross_entropy(net.logits, data.label, weights = [1, -2])

Mended:

    loss = cross_entropy(net.logits, data.label, weights = [1, 2])
""",
        Severity.WARNING,
        "negative-weight",
    ),
    Code(
        "DL4017",
        "a layer is given the size of its input first",
        """\
PyTorch's layers are given how large their input is before anything else. Here the input says it, and the numbers of a layer begin
with the next one: `Conv2d(channels, kernel, stride)`, `TransformerEncoderLayer(heads, ff)`. PyTorch's numbers can be legal and mean
something else.

    h = photo |> conv: Conv2d(3, 16, 3)          # 3 channels, a kernel of 16, a stride of 3

Mended:

    h = photo |> conv: Conv2d(16, 3)

Where the numbers are meant as they are, name them: `Conv2d(3, kernel = 16, stride = 3)`.
""",
        Severity.WARNING,
        "input-size-first",
    ),
    Code(
        "DL4020",
        "a block hides a standard layer",
        """\
In this file the name means the block; who reads it expects the standard layer.

    block Dense(units: int) { ... }

Mended:

    block MyDense(units: int) { ... }
""",
        Severity.WARNING,
        "shadowed-layer",
    ),
    Code(
        "DL4030",
        "there is no lint of this name",
        """\
`# allow: NAME` at the end of a statement's line, or on the line above it, silences a lint there. `dslc explain CODE` says
the name of each lint.

    side = x |> aux: Dense(512)      # allow: unsed-value

Mended:

    side = x |> aux: Dense(512)      # allow: unused-value
""",
        Severity.WARNING,
        "unknown-lint",
    ),
)
