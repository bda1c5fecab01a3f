"""The settings of data, train and test blocks, declared: where each stands, what it takes, and what it means to a reader."""

from __future__ import annotations

from dslc.ops.opdef import Option
from dslc.record import record


@record
class SettingDef:
    """One setting.

    Attributes:
        blocks: "data", "train", "step" or "test", the one that it is explained with first.
        default: as a program writes it; "" where it must be given.
        takes: what may be written behind `=`.
        doc: what it does. First sentence: its summary.
        example: lines of its first block that set it.
        options: of a setting that is written like a call.
    """

    name: str
    blocks: tuple[str, ...]
    default: str
    takes: str
    doc: str
    example: str
    options: tuple[Option, ...] = ()


SETTINGS = (
    SettingDef(
        "source",
        ("data",),
        "",
        "a data source, or a record of them: `{ train: ..., val: ..., test: ... }`",
        """Where the rows are read from.

        Fields read its columns by `source["name"]`. With a record, each part of the data has a source of its own, with columns of
        the same names; `train` must be there.""",
        'source = { train: npz("rows.npz"), test: npz("more.npz") }',
    ),
    SettingDef(
        "split",
        ("data",),
        "none",
        "a record of shares: `{ val: 0.1, test: 0.1 }`",
        """Shares of the training source that become `val` and `test`.

        `train` keeps the rest; where its share is written too, the sum is 1. Rows are shuffled first, by `shuffle_seed`. A series
        that `window` cuts is split in its order instead.""",
        "split = { val: 0.1, test: 0.1 }",
    ),
    SettingDef(
        "shuffle_seed",
        ("data",),
        "0",
        "a whole number",
        """The seed of the order in which rows are divided by `split`.

        The order of batches follows the `seed` of the train block.""",
        "split        = { val: 0.1 }\nshuffle_seed = 7",
    ),
    SettingDef(
        "stratify",
        ("data",),
        "none",
        "the name of a field of class ids",
        """A field of classes, of each of which every part of `split` gets its share, to within one row.""",
        "split    = { val: 0.1 }\nstratify = label",
    ),
    SettingDef(
        "data",
        ("train",),
        "",
        "the name of a data block",
        """The data that is trained on; its fields are `data.x`.

        An input of a model in use that has no argument is bound to the field of its name.""",
        "data = rows",
    ),
    SettingDef(
        "loss",
        ("train", "step"),
        "",
        "one floating-point number",
        """What is minimised.

        It must depend on a parameter that learns. The history has its mean over rows, penalties included: `loss` in training mode,
        `val.loss` of the validation part in inference mode. A loss that is not finite ends the run before the update.""",
        "loss = mse(net.y, data.y)",
    ),
    SettingDef(
        "metrics",
        ("train", "step"),
        "none",
        "a record of numbers",
        """Quantities that are reported after each epoch, under their names and behind `val.`.

        They are means over rows; metrics that are none, such as `f1`, are worked out from all rows.""",
        "metrics = { accuracy: accuracy(net.logits, data.label), error: 1 - accuracy(net.logits, data.label) }",
    ),
    SettingDef(
        "optimizer",
        ("train", "step"),
        "adam()",
        "a call of an optimizer, whose `lr` may be a schedule",
        """How parameters follow from gradients.""",
        "optimizer = sgd(lr = 0.1 |> cosine(3 epochs), momentum = 0.9)",
    ),
    SettingDef(
        "clip_norm",
        ("train", "step"),
        "none",
        "a number greater than 0",
        """A limit c of the norm of the gradient g, over all parameters of the step.

            g <- g * min(1, c / (|g| + 1e-6))

        As PyTorch's `clip_grad_norm_`. It comes before `clip_value`.""",
        "clip_norm = 1",
    ),
    SettingDef(
        "clip_value",
        ("train", "step"),
        "none",
        "a number greater than 0",
        """A limit of every element of the gradient, which is kept between -c and c.

        As PyTorch's `clip_grad_value_`. It comes after `clip_norm`.""",
        "clip_value = 0.5",
    ),
    SettingDef(
        "freeze",
        ("train", "step"),
        "none",
        "a pattern of keys, or a list of them",
        """Parameters that do not learn.

        In a pattern `*` stands for anything, dots too; one that matches nothing is an error. It holds back the optimizer alone: a
        frozen `BatchNorm` normalises by the batch in training, and its running statistics follow the data.""",
        'freeze = ["fc1.*", "fc2.bias"]',
    ),
    SettingDef(
        "early_stop",
        ("train",),
        "",
        "",
        """Ends the training when a quantity has not become better for `patience` epochs, by more than `min_delta`.

        `on` names a quantity of the history. Less is better of losses and errors, more of other metrics; of a formula of one's own
        `mode` says it. The weights kept are those of the best epoch, with `restore_best = false` of the last.""",
        'early_stop(on = "val.loss", patience = 3 epochs)',
        (
            Option("on", "string", required=True),
            Option("patience", "epochs", required=True),
            Option("min_delta", "float", 0.0),
            Option("restore_best", "bool", True),
            Option("mode", "string", None, choices=("min", "max")),
        ),
    ),
    SettingDef(
        "batch",
        ("train",),
        "32",
        "a whole number, or `all`",
        """How many samples a step sees.

        The last batch of an epoch may be smaller. `all` is full-batch descent.""",
        "batch = 128",
    ),
    SettingDef(
        "accumulate",
        ("train",),
        "1",
        "a whole number",
        """How many batches make an update, from the mean gradient over all of their rows.

        What is left at the end of an epoch makes a smaller one. Memory is that of one batch.""",
        "batch      = 16\naccumulate = 4",
    ),
    SettingDef(
        "ema",
        ("train",),
        "none",
        "a number between 0 and 1, or `{ decay: 0.999, warmup: true }`",
        """An exponential moving average of the weights, which is evaluated and kept in their place.

        After each update

            average <- decay * average + (1 - decay) * weight

        and the first update copies the weights. With `warmup` the decay at update t is min(decay, t / (t + 9)). Buffers are not
        averaged.""",
        "ema = { decay: 0.999, warmup: true }",
    ),
    SettingDef(
        "epochs",
        ("train",),
        "1",
        "a whole number",
        """How often training goes through the data, unless `early_stop` ends it before.

        `dslc train --epochs` says it too.""",
        "epochs = 10",
    ),
    SettingDef(
        "seed",
        ("train", "test"),
        "0",
        "a whole number",
        """The seed of first values, of the order of rows and of all that is drawn.

        The same program, data and seed give the same weights, to the bit.""",
        "seed = 1",
    ),
)


def settings_of(block: str) -> tuple[str, ...]:
    """The names of a block's settings that are written with `=`."""
    return tuple(found.name for found in SETTINGS if block in found.blocks and not found.options)


def options_of(name: str) -> tuple[Option, ...]:
    """The options of a setting that is written like a call."""
    return next(found.options for found in SETTINGS if found.name == name)
