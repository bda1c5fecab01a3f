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
        "unused_value",
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
        "unused_parameter",
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
        "unused_layer",
    ),
    Code(
        "DL4004",
        "an input, a hyper-parameter or a compile-time value is never used",
        """\
Whoever gives it a value expects it to matter.

    model M(hidden: int = 8) { ... Dense(10) ... }    # `hidden` changes nothing

Mended:

    model M(hidden: int = 8) { ... Dense(hidden) ... }
""",
        Severity.WARNING,
        "unused_name",
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
        "no_gradient",
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
        "double_softmax",
    ),
)
