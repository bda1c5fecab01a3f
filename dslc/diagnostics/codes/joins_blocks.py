"""Codes about settings: in data, train and test blocks, and by `--set`."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL3001",
        "unknown setting",
        """\
A data, train or test block was given a setting that it does not have. Settings are never ignored: a mistyped
`epoch = 50` would otherwise train for one epoch.

    train mlp {
      epoch = 50            # wrong: the setting is `epochs`
    }

Mend the name. A value of your own gets a name with `let`:

    train mlp {
      epochs = 50
      let error = net.y - data.y
    }
""",
    ),
    Code(
        "DL3002",
        "a setting is missing",
        """\
A block lacks something it cannot do without: a data block its `source`, a train block its `use`, `data` or `loss`.

    train mlp {
      use net = MLP()
      data    = digits      # wrong: what should be made small?
    }

Say what to learn from and what to make small:

    train mlp {
      use net = MLP()
      data    = digits
      loss    = cross_entropy(net.logits, data.label)
    }
""",
    ),
    Code(
        "DL3003",
        "given twice",
        """\
A setting, a field, a column or a part stands twice in one place. Nothing is overwritten silently, so one has to go.

    train mlp {
      seed = 1
      seed = 2              # wrong: which one?
    }

To run with another value without changing the file, override it: `dslc train mlp.dl --set seed=2`.
""",
    ),
    Code(
        "DL3004",
        "a setting has the wrong kind of value",
        """\
A setting was given a value it cannot take.

    batch  = 0              # wrong: a batch holds at least one sample
    epochs = "five"         # wrong: a whole number is needed

`batch` takes a positive whole number or `all`, `epochs` a positive whole number, `seed` and `shuffle_seed` a whole number
that is not negative, `metrics` a record.

    batch  = all
    epochs = 5
""",
    ),
    Code(
        "DL3005",
        "an option is out of range",
        """\
An option of an optimizer has a value for which its formula makes no sense, such as a learning rate that is not positive
or a decay rate of 1 or more.

    optimizer = adam(lr = 0)            # wrong: nothing would be learned

Give a value in the range that the message names:

    optimizer = adam(lr = 1e-3)
""",
    ),
    Code(
        "DL3006",
        "a statement stands in the wrong block",
        """\
Each kind of block holds certain statements only. Parameters and layers belong to models, fields to data blocks,
expectations to tests.

    train mlp {
      param w: f32[3] = zeros()         # wrong: parameters belong to a model
    }

Move the statement to the block it belongs to:

    model MLP {
      param w: f32[3] = zeros()
      ...
    }
""",
    ),
    Code(
        "DL3080",
        "a `--set` is malformed",
        """\
`--set` takes a path, `=`, and one value written as in a program.

    --set epochs            # wrong: no value
    --set "epochs=5, 6"     # wrong: two values

Write one setting at a time; the option may be repeated:

    --set epochs=5 --set optimizer.lr=3e-4 --set 'source="digits.npz"'
""",
    ),
    Code(
        "DL3081",
        "`--set` names something that does not exist",
        """\
The path of a `--set` leads nowhere in this file. A path is the full way to a hyper-parameter or a setting, or any end
of it that only one place has:

    --set train.mlp.optimizer.lr=3e-4
    --set optimizer.lr=3e-4             # the same, where there is one train block
    --set hidden=256                    # the model's hyper-parameter

    --set hiden=256                     # wrong: there is no such name
""",
    ),
    Code(
        "DL3082",
        "`--set` could mean several places",
        """\
The path of a `--set` is short for more than one place, so it would be a guess which is meant.

    --set epochs=10                     # wrong in a file with the train blocks `small` and `large`

Write the path out as far as needed:

    --set train.small.epochs=10
""",
    ),
    Code(
        "DL3083",
        "the value of a `--set` is of the wrong kind",
        """\
A hyper-parameter declares what it takes, and the value given by `--set` is something else.

    model MLP(hidden: int = 128, act: string = "relu") { ... }

    --set hidden=2.5                    # wrong: a whole number is needed
    --set act=tanh                      # wrong: a string needs quotes

Values are written as in a program; keep the quotes from the shell:

    --set hidden=256 --set 'act="tanh"'
""",
    ),
    Code(
        "DL3090",
        "not supported by this version yet",
        """\
The construct belongs to the language, but this version of dslc does not serve it. Nothing was skipped: the program is
refused rather than run in part.

    source = csv("iris.csv")            # wrong in this version: use npz or inline

The language reference says what each version serves. Until then, do without the construct; data of other kinds can be
saved with `numpy.savez` and read by `npz`.
""",
    ),
)
