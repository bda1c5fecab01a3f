"""Codes about how a training runs: schedules, what learns in which step, samples, early stopping."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL3050",
        "a length of time needs a unit",
        """\
How long something lasts in a training is counted in steps (updates) or in epochs (times through the data). A bare
number does not say which.

    optimizer = adam(lr = warmup(200, to = 1e-3))           # wrong: 200 of what?
    early_stop(on = "val.loss", patience = 3)               # wrong

Write the unit behind the number:

    optimizer = adam(lr = warmup(200 steps, to = 1e-3))
    early_stop(on = "val.loss", patience = 3 epochs)
""",
    ),
    Code(
        "DL3051",
        "a unit does not fit",
        """\
The unit behind a number is none that means something here. Schedules count `steps` or `epochs`; the patience of
`early_stop` is counted in `epochs`, because validation runs once per epoch.

    optimizer = adam(lr = warmup(200 batches, to = 1e-3))   # wrong: no such unit
    early_stop(on = "val.loss", patience = 300 steps)       # wrong

    optimizer = adam(lr = warmup(200 steps, to = 1e-3))
    early_stop(on = "val.loss", patience = 3 epochs)
""",
    ),
    Code(
        "DL3052",
        "there is no such schedule",
        """\
A learning rate is a number, or a schedule: stages joined by `|>`, each of which goes on where the one before ended.

    optimizer = adam(lr = 1e-3 |> cosin(20 epochs))         # wrong: there is no `cosin`

Take one of the stages that the message lists:

    optimizer = adam(lr = 1e-3 |> cosine(20 epochs))
""",
    ),
    Code(
        "DL3053",
        "a stage of a schedule lacks an option",
        """\
A stage cannot be computed without this number: how long it lasts, or where it goes.

    optimizer = adam(lr = warmup(200 steps))                # wrong: up to which rate?

    optimizer = adam(lr = warmup(200 steps, to = 1e-3))
""",
    ),
    Code(
        "DL3054",
        "the stages of a schedule do not join",
        """\
Every stage starts at the rate where the one before ended. So the first one needs a rate to start from, and only the last
one may go on for ever.

    optimizer = adam(lr = cosine(20 epochs))                          # wrong: from which rate?
    optimizer = adam(lr = 1e-3 |> constant() |> cosine(20 epochs))    # wrong: `cosine` is never reached

Put the first rate in front, and say how long each stage lasts:

    optimizer = adam(lr = 1e-3 |> cosine(20 epochs))
    optimizer = adam(lr = 1e-3 |> constant(5 epochs) |> cosine(20 epochs))
""",
    ),
    Code(
        "DL3055",
        "a pattern matches no parameter",
        """\
`freeze`, `l1`, `l2` and `weights(..., only = ...)` choose parameters by patterns over their keys; a `*` stands for anything,
dots too. A pattern that matches nothing is a typing error nearly always, so it is not passed over. `dslc info` lists the keys.

    freeze = ["embed.*"]                # wrong where the layer is called `emb`
    freeze = ["*"]                      # wrong: then nothing learns

    freeze = ["emb.*"]

Where a train block uses several models, keys begin with the `use` name: `g.fc1.weight`. `l1` and `l2` cover the parameters
that the step updates, so frozen ones are not among them.
""",
    ),
    Code(
        "DL3056",
        "a `sample` cannot be drawn",
        """\
`sample` names a random tensor that is drawn anew in every step. Its sizes are numbers, or the size of the batch, and it
comes from one of three distributions.

    sample z: f32[B, 16] ~ gaussian(0, 1)       # wrong: no such distribution
    sample z: f32[N, 16] ~ normal(0, 1)         # wrong where nothing says how large `N` is

    sample z: f32[B, 16] ~ normal(0, 1)         # mean, standard deviation
    sample u: f32[B] ~ uniform(-1, 1)           # from, to
    sample m: f32[B, 4] ~ bernoulli(0.5)        # 1 with this probability, else 0
""",
    ),
    Code(
        "DL3057",
        "a step does not say what learns",
        """\
Where a train block has several objectives, each `step` names the models that learn from it; the others are held fixed.

    step critic { loss = bce_logits(d(data.x), 1) }                 # wrong: who learns?
    step critic { update critic; loss = bce_logits(d(data.x), 1) }  # wrong: no model is in use under this name

    step critic { update d; loss = bce_logits(d(data.x), 1) }
""",
    ),
    Code(
        "DL3058",
        "`early_stop` cannot tell when to stop",
        """\
`early_stop` watches one quantity of the history and ends the training when it has not become better for a while. It must
say which, and how long it waits; and it must be known whether less or more is better.

    early_stop(on = "val.los", patience = 3 epochs)         # wrong: no such quantity
    early_stop(on = "val.loss")                             # wrong: for how long?
    early_stop(on = "val.score", patience = 3 epochs)       # wrong where `score` is a formula of your own

    early_stop(on = "val.loss", patience = 3 epochs)
    early_stop(on = "val.score", patience = 3 epochs, mode = "max")

`val.` quantities exist where the data have a validation part.
""",
    ),
)
