"""Codes of the family `run`: what only a run can find, in files, data and numbers."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL5001",
        "a data file cannot be read",
        """\
A data source, or `predict --input`, names a file that is not there or may not be read. Paths in a program are relative to
the .dl file, and `--data PATH` replaces them; paths on the command line are relative to the folder the command runs in.
A doc comment (`##`) above the data block is shown with this message: say there where the file comes from.

Wrong, when the file lies in `data/`:
    source = npz("mnist.npz", image = "x_train")
Mended:
    source = npz("data/mnist.npz", image = "x_train")
""",
    ),
    Code(
        "DL5002",
        "a data file is damaged or is of another format",
        """\
`npz(...)` reads archives written by NumPy (`numpy.savez`, `numpy.savez_compressed`). Each array's header is compared with
the bytes there are before anything is read; a file that claims more than it holds, that is cut short, or that would unpack
to far more than its size is refused.

Wrong:
    source = npz("table.csv", x = "x")
Mended: convert it once with NumPy, then
    source = npz("table.npz", x = "x")
""",
    ),
    Code(
        "DL5003",
        "a column is not in the data file",
        """\
A source maps names of the program to names in the file: in `npz("f.npz", image = "x_train")` the file must hold an array
`x_train`. The message lists the arrays there are.

Wrong, when the file holds `x_train` and `y_train`:
    source = npz("f.npz", image = "x_trian")
Mended:
    source = npz("f.npz", image = "x_train")
""",
    ),
    Code(
        "DL5004",
        "a column holds values that are not tensors of the language",
        """\
Columns hold booleans, integers of 8, 16, 32 or 64 bits, or floats of 16, 32 or 64 bits, with one row per sample. Arrays of Python
objects are stored as pickles, which can run code when they are read, so they never are.

Wrong, in Python:
    numpy.savez("f.npz", x=numpy.array([[1, 2], [3]], dtype=object))
Mended:
    numpy.savez("f.npz", x=numpy.array([[1, 2], [3, 0]]))
""",
    ),
    Code(
        "DL5005",
        "columns of a data source have different numbers of rows",
        """\
Row i of every column belongs to sample i, so all columns of a source have equally many rows.

Wrong, when `x_train` has 60000 rows and `y_test` 10000:
    source = npz("mnist.npz", image = "x_train", label = "y_test")
Mended:
    source = npz("mnist.npz", image = "x_train", label = "y_train")
""",
    ),
    Code(
        "DL5006",
        "a field holds values that are not finite",
        """\
A NaN or an infinity in the data becomes a NaN in the loss and, one step later, in every parameter. The message names the first
row. NaN often stands for a missing value, or comes from a division by zero in the field's expression.

Wrong, when a row of `s` is 0:
    field x: f32[4] = source["x"] / source["s"]
Mended:
    field x: f32[4] = source["x"] / maximum(source["s"], 1)
""",
    ),
    Code(
        "DL5007",
        "an id lies outside the classes or the table of the model",
        """\
A loss such as `cross_entropy(net.logits, data.label)` reads the label as an index into the last axis of the logits, so every
label must be at least 0 and less than the number of classes. An id that is looked up in a table must be less than its rows.

Wrong, when the labels are 1 to 10:
    field label: i64[] = source["label"]
Mended:
    field label: i64[] = source["label"] - 1
""",
    ),
    Code(
        "DL5008",
        "a part of the data has no rows",
        """\
Training needs at least one sample, and so does a part that is evaluated. A small share of a small set rounds to nothing:
0.01 of 40 rows is no row.

Wrong, with 40 rows:
    split = { val: 0.01 }
Mended:
    split = { val: 0.1 }
""",
    ),
    Code(
        "DL5009",
        "the data do not fit into memory",
        """\
Columns are read whole. The message says how many bytes were asked for; the sizes come from the file's own headers.

Mended: write a smaller file, or one with a narrower type (`u8` instead of `f64`), and convert in the field:
    field image: f32[28, 28] = source["image"] / 255
""",
    ),
    Code(
        "DL5010",
        "the data have no such part",
        """\
A part (`train`, `val`, `test`) is a source of its own, or a share in `split`.

Wrong, when the data block has only `train` and `test`:
    dslc eval RUN --split val
Mended, in the data block:
    split = { val: 0.1 }
""",
    ),
    Code(
        "DL5020",
        "a checkpoint cannot be read",
        """\
Weights are safetensors files. The file is absent, is no safetensors file, is cut short, or its header breaks a limit
(8 MiB of header, 20000 tensors). Files are written atomically, so a run that was killed leaves the one before intact.

Wrong:
    dslc eval runs/a         # `runs/a/model.safetensors` was never written
Mended:
    dslc train model.dl --out runs/a
""",
    ),
    Code(
        "DL5021",
        "the tensors of a checkpoint are not those of the model",
        """\
Each parameter is found by its key, and has the shape and the element type it was saved with. The notes list every difference.

Wrong, in Python, for weights saved from `MLP(hidden = 64)`:
    program.model("MLP", hidden=128).load("mlp.safetensors")
Mended:
    program.model("MLP", hidden=64).load("mlp.safetensors")
""",
    ),
    Code(
        "DL5022",
        "a file was written by a newer version of dslc",
        """\
Checkpoints and run folders carry a format version. This dslc reads its own and the older ones.

Mended:
    pip install --upgrade dslc
""",
    ),
    Code(
        "DL5023",
        "a file cannot be written",
        """\
The folder is not there, is a file, or may not be written, or the disk is full. What was there before is untouched: a file is
written beside the old one and then put in its place.

Wrong:
    dslc train xor.dl --out /read-only/place
Mended:
    dslc train xor.dl --out runs/xor
""",
    ),
    Code(
        "DL5024",
        "there is no run in this folder",
        """\
`eval`, `predict`, `export` and `train --resume` need the folder a training wrote: `run.json`, `config.dl` and
`model.safetensors`. To resume also takes `last.safetensors`.

Wrong:
    dslc eval models/xor.dl
Mended:
    dslc train models/xor.dl --out runs/xor
    dslc eval runs/xor
""",
    ),
    Code(
        "DL5025",
        "a run cannot be resumed with other settings",
        """\
Resuming continues a training: its random streams, the order of its data, its optimizer's state. So seed, batch size, data, and the
program with all that `--set` put into it must be those of the run, and the train block must be the same; only the number of epochs
may grow, and `--set` may change what leaves the tensors as they are, such as `optimizer.lr`. What `--set` changed before is given
again, or the run's own program is resumed, its `config.dl`, which holds all of it.

Wrong, for a run with seed 1:
    dslc train xor.dl --out runs/xor --resume --seed 2
Mended:
    dslc train xor.dl --out runs/xor --resume --epochs 800
""",
    ),
    Code(
        "DL5026",
        "there is a run in this folder already",
        """\
A new training would delete the weights of the run that is there. Without `--out` every training gets a folder of its own:
`runs/xor`, `runs/xor-2`, ...

Wrong, when `runs/xor` holds a run:
    dslc train xor.dl --out runs/xor
Mended:
    dslc train xor.dl --out runs/xor-again
    dslc train xor.dl --out runs/xor --resume     # go on with it, if it has `last.safetensors`
    dslc train xor.dl --out runs/xor --force      # replace it
In Python: `trainer.fit(out="runs/xor", force=True)`.
""",
    ),
    Code(
        "DL5030",
        "the loss is not finite",
        """\
The loss became NaN or infinite. Training stops before that step changes anything; the last finished epoch is kept. The message
names the step and the first value in the network that is not finite. Usual causes: a learning rate that is too high, a logarithm
or a division at 0, an exponential of a large number, loss written by hand where a stable one exists.

Wrong:
    loss = -mean(data.y * log(sigmoid(net.z)))
Mended:
    loss = bce_logits(net.z, data.y)
""",
    ),
    Code(
        "DL5031",
        "a parameter is not finite",
        """\
The loss was still finite, and the last update made a parameter NaN or infinite: its gradient overflowed. Nothing of that
epoch is saved.

Wrong:
    optimizer = sgd(lr = 1e6)
Mended:
    optimizer = sgd(lr = 1e-2)
""",
    ),
    Code(
        "DL5080",
        "there are no weights to start from",
        """\
`init = weights(PATH)` names the folder of a run or a safetensors file, relative to the program. There is none, or the run has
finished no epoch.

Wrong, in `models/finetune.dl`, when the run lies in `runs/base` beside `models`:
    use net = Net(init = weights("runs/base"))
Mended:
    use net = Net(init = weights("../runs/base"))
""",
    ),
    Code(
        "DL5081",
        "the weights to start from have other names",
        """\
A model starts from the tensors that have its keys. Without `only`, the file holds exactly those of the model; with it, those
that it chooses. The notes list what is missing, and what is more than the model has. In a run of several models the keys begin with
the `use` name, which is a `prefix`.

Wrong, for a run with `use g = Generator()` and `use d = Critic()`:
    use g = Generator(init = weights("runs/gan"))
Mended:
    use g = Generator(init = weights("runs/gan", prefix = "g."))
    use g = Generator(init = weights("runs/gan", prefix = "g.", only = "fc1.*"))
""",
    ),
    Code(
        "DL5082",
        "the weights to start from have other types",
        """\
A tensor of the file has the name of a parameter and another shape or element type. Nothing is cut, filled up or converted.

Wrong, where the run has 10 classes and this model 3:
    use net = Net(classes = 3, init = weights("runs/digits"))
Mended: keep first values of its own for what differs
    use net = Net(classes = 3, init = weights("runs/digits", only = "features.*"))
""",
    ),
    Code(
        "DL5090",
        "a process that computes a part of each batch has ended",
        """\
A training step of enough work is computed by several processes, each for some rows of the batch. One of them could not be started,
or ended before the training did: somebody ended it, or the system did because memory ran out, which it does without a word. A note
says which, as far as it can be known. The last finished epoch is kept.

Wrong, where memory is short:
    dslc train model.dl --out runs/a
Mended: go on from the last epoch in one process, or train with a smaller batch
    dslc train model.dl --out runs/a --resume --threads 1
""",
    ),
)
