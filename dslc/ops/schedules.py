"""The schedules' names, options and formulas: declarations only. `dslc_runtime.schedules` computes them.

They lie among the operators so that checking a program needs nothing that runs.
"""

from __future__ import annotations

from dslc.ops.opdef import Option
from dslc.record import record


@record
class ScheduleDef:
    """One stage of a schedule.

    Attributes:
        doc: the formula. `j` counts the stage's steps from 0, `n` is its length in steps.
        example: how it is written.
        options: its options in order. Of the kind "length" are times, of the kind "epochs" whole numbers of epochs; a number
            without default is required, unless it is `start`, whose default is where the stage before ended.
        watches: whether it looks at a quantity of the history, which the options `on` and `mode` say.
    """

    name: str
    doc: str
    example: str
    options: tuple[Option, ...]
    watches: bool = False


_LENGTH = Option("length", "length", required=True)
_OPEN = Option("length", "length")  # may last for ever
_START = Option("start", "float")

_ALL = (
    ScheduleDef(
        "constant",
        "The same rate: `start`.",
        "lr = 1e-3 |> constant(5 epochs) |> cosine(15 epochs)",
        (_OPEN, _START),
    ),
    ScheduleDef(
        "warmup",
        """start + (to - start) * (j + 1) / n: the first step moves already, the last one has `to`.

    `start` is 0 where it comes first.

    Source: Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017.""",
        "lr = warmup(200 steps, to = 1e-3) |> cosine(20 epochs, to = 1e-5)",
        (_LENGTH, Option("to", "float", required=True), _START),
    ),
    ScheduleDef(
        "linear",
        "start + (to - start) * j / n. As torch.optim.lr_scheduler.LinearLR.",
        "lr = 1e-3 |> linear(20 epochs)",
        (_LENGTH, Option("to", "float", 0.0), _START),
    ),
    ScheduleDef(
        "polynomial",
        "to + (start - to) * (1 - j / n) ** power. As torch.optim.lr_scheduler.PolynomialLR.",
        "lr = 1e-3 |> polynomial(20 epochs, power = 2)",
        (_LENGTH, Option("to", "float", 0.0), Option("power", "float", 1.0), _START),
    ),
    ScheduleDef(
        "cosine",
        """to + (start - to) * (1 + cos(pi * j / n)) / 2. As torch.optim.lr_scheduler.CosineAnnealingLR.

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.""",
        "lr = 1e-3 |> cosine(20 epochs, to = 1e-5)",
        (_LENGTH, Option("to", "float", 0.0), _START),
    ),
    ScheduleDef(
        "exponential",
        "start * factor ** (j / every), at every step. As Keras' ExponentialDecay.",
        "lr = 1e-3 |> exponential(every = 1 epochs, factor = 0.95)",
        (Option("every", "length", required=True), Option("factor", "float", required=True), _OPEN, _START),
    ),
    ScheduleDef(
        "step_decay",
        "start * factor ** floor(j / every). As torch.optim.lr_scheduler.StepLR.",
        "lr = 0.1 |> step_decay(every = 30 epochs, factor = 0.1)",
        (Option("every", "length", required=True), Option("factor", "float", 0.1), _OPEN, _START),
    ),
    ScheduleDef(
        "one_cycle",
        """Up to `peak` and down again, each along half a cosine.

    It begins at peak / div, reaches `peak` after the share `warm` of its length and ends at peak / (div * final_div). As
    torch.optim.lr_scheduler.OneCycleLR.

    Source: Smith and Topin, Super-convergence: very fast training of neural networks using large learning rates, 2018.""",
        "lr = one_cycle(20 epochs, peak = 0.01)",
        (
            _LENGTH,
            Option("peak", "float", required=True),
            Option("warm", "float", 0.3),
            Option("div", "float", 25.0),
            Option("final_div", "float", 1e4),
        ),
    ),
    ScheduleDef(
        "plateau",
        """The same rate, until a score stops improving: then rate <- max(rate * factor, min_lr), and so on.

    The score is the quantity `on` of the history, after each epoch that ends in this stage. It is better than the best one so
    far if it is below best * (1 - threshold), or with ``relative = false`` below best - threshold; above, with a plus sign,
    where more is better. After more than `patience` epochs without a better score the rate is cut; the `cooldown` epochs
    behind a cut do not count. As torch.optim.lr_scheduler.ReduceLROnPlateau.""",
        'lr = 1e-3 |> plateau(on = "val.loss", factor = 0.5, patience = 5 epochs)',
        (
            Option("on", "string", required=True),
            Option("factor", "float", 0.1),
            Option("patience", "epochs", 10),
            Option("threshold", "float", 1e-4),
            Option("relative", "bool", True),
            Option("cooldown", "epochs", 0),
            Option("min_lr", "float", 0.0),
            Option("mode", "string", choices=("min", "max")),
            _OPEN,
            _START,
        ),
        watches=True,
    ),
)

SCHEDULES: dict[str, ScheduleDef] = {schedule.name: schedule for schedule in _ALL}
