"""Codes about recipes of training: rates that follow a score, accumulated gradients, averaged weights, weights to start from."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL3110",
        "`plateau` cannot tell when to cut the rate",
        """\
`plateau` watches one quantity of the history and makes the learning rate smaller when that has not become better for a
while. It must say which, and it must be known whether less or more is better.

    optimizer = sgd(lr = 0.1 |> plateau())                          # wrong: which quantity?
    optimizer = sgd(lr = 0.1 |> plateau(on = "val.los"))            # wrong: no such quantity
    optimizer = sgd(lr = 0.1 |> plateau(on = "val.score"))          # wrong where `score` is a formula of your own

    optimizer = sgd(lr = 0.1 |> plateau(on = "val.loss"))
    optimizer = sgd(lr = 0.1 |> plateau(on = "val.score", mode = "max"))

`val.` quantities exist where the data have a validation part.
""",
    ),
    Code(
        "DL3111",
        "a schedule has two plateaus",
        """\
One `plateau` cuts the rate again and again, as often as the score stops improving. A second one in the same schedule would watch
beside it.

    lr = 0.1 |> plateau(on = "val.loss", length = 10 epochs) |> plateau(on = "val.loss", factor = 0.5)    # wrong

    lr = 0.1 |> plateau(on = "val.loss", factor = 0.5)
""",
    ),
    Code(
        "DL3112",
        "nothing accumulates",
        """\
With `accumulate = n` an update takes the gradient of n batches together. An epoch of one batch has no others.

    batch      = all
    accumulate = 4                      # wrong

    batch      = 8
    accumulate = 4                      # updates as with `batch = 32`, in the memory of 8
""",
    ),
    Code(
        "DL3113",
        "`ema` does not say how the weights are averaged",
        """\
`ema` is the share of the old average that an update keeps, above 0 and below 1. As a record it says more: with `warmup` the first
updates keep less.

    ema = 1                             # wrong: never moves
    ema = { warmup: true }              # wrong: which decay?

    ema = 0.999
    ema = { decay: 0.999, warmup: true }
""",
    ),
    Code(
        "DL3114",
        "`init` does not say which weights a model starts from",
        """\
`init = weights(PATH)` starts a model from the weights of a run or of a safetensors file: each parameter and buffer from the
tensor of the same key. With `only` others keep first values of their own; `prefix` is what stands in front of the keys in the
file, as those of a run of several models begin with the `use` name.

    use net = MLP(init = weights())                                     # wrong: which run?
    use net = MLP(init = weights("runs/a", only = features))            # wrong: a pattern is a string

    use net = MLP(init = weights("runs/a"))
    use net = MLP(init = weights("runs/a", only = ["features.*", "*.bias"]))
    use net = MLP(init = weights("runs/gan", prefix = "g."))
""",
    ),
)
