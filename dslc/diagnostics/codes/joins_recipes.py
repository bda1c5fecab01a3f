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
)
