"""Codes of requests: what the command line or the Python API was asked for. DL0050 to DL0059, DL5040 to DL5059."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL0050",
        "a program cannot be read",
        """
The file does not exist, is a folder, or may not be read. Paths are relative to the folder the command runs in; a model in
a file of several is named behind a colon.

    dslc check models/xor.dl
    dslc info models/neuron.dl:Perceptron
""",
    ),
    Code(
        "DL0051",
        "a program is not UTF-8 text of reasonable size",
        """
A program is UTF-8 text of at most 10 million bytes. A file in another encoding has to be saved anew; a much larger file is
not a program.
""",
    ),
    Code(
        "DL0052",
        "there is no such code",
        """
`dslc explain` takes a code as diagnostics print it: `DL` and four digits.

    dslc explain DL2001
""",
    ),
    Code(
        "DL0053",
        "there is no declaration of that name",
        """
The program has no model, train block or test of the name that was asked for, or none at all.

    dslc train models/xor.dl:xor         # the train block `xor`
    dslc info models/neuron.dl:Neuron    # the model `Neuron`
""",
    ),
    Code(
        "DL0054",
        "a declaration has to be named",
        """
The program declares several models (or train blocks), and the command is about one. Name it behind the file:

    dslc info models/neuron.dl:Perceptron

In Python: `program.model("Perceptron")`, `program.trainer("plain")`, `trainer.gradients(batch, step="critic")`.
""",
    ),
    Code(
        "DL0055",
        "a stage of the compiler does not exist for this program",
        """
`dslc compile --emit training` prints the graph of a training step, so the program needs a train block. The other stages need
a model. By file ending, `-o` writes ONNX (`.onnx`), a training that stands alone (`.py`), the text of the graph (`.txt`), and a
picture or data of it (`.svg`, `.dot`, `.mmd`, `.json`). `dslc export` writes ONNX alone, so its file ends in `.onnx`.

Wrong:
    dslc export runs/xor -o xor.txt
Mended:
    dslc export runs/xor -o xor.onnx
""",
    ),
    Code(
        "DL0056",
        "there is no data file to replace",
        """
`--data PATH` puts another file or folder in the place of those that the program's data blocks read. Rows written in the
program (`inline`) are not replaced: their columns have no file to come from.

    source = inline({ x: [[0, 0]], y: [[0]] })

Mended: a program that reads its data from a file.

    source = npz("rows.npz", x = "x", y = "y")
""",
    ),
    Code(
        "DL0058",
        "a training cannot be a file of its own",
        """
`dslc compile -o step.py` writes the steps of a train block with everything they call, so that NumPy alone runs them. What needs
other files or a whole run is not in such a file: weights to start from, and a rate that follows a score of validation.

    optimizer = adam(lr = 1e-3 |> plateau(on = "val.loss"))     # needs the scores of epochs

Mended: a schedule that counts steps.

    optimizer = adam(lr = cosine(1000 steps, to = 1e-5))
""",
    ),
    Code(
        "DL6040",
        "nothing of that name is documented",
        """
`dslc doc NAME` takes the name of a layer, function, loss, metric, initialiser, optimizer or data source, or a symbol such as `@`.
`dslc doc` lists them all. `dslc doc FILE:NAME` shows a model, block or cell of a program.

    dslc doc Dense
    dslc doc models/xor.dl:Xor
""",
    ),
    Code(
        "DL6041",
        "a model has no such run-time size, or the sizes do not fit it",
        """
`dslc info --sizes` gives numbers for the run-time sizes of a model: the dimensions of its inputs that are no numbers. They are
the names that `dim` declares, and have to work out inside the model: what it halves must be even.

    dslc info net.dl --sizes B=32,T=100
    dslc info net.dl --batch 32          # for sizes that begin an input
""",
    ),
    Code(
        "DL5040",
        "an array does not fit the inputs of a program",
        """
A model or a training step was given an array of another shape or kind than it takes, an input it does not have, or not all it
needs. Integers become floats; floats never become integers on their own.

Wrong:
    model(x=[1, 2])            # the input is f32[B, 2]
Mended:
    model(x=[[1, 2]])          # a batch of one
""",
    ),
    Code(
        "DL5041",
        "an id names no row of the table it is looked up in",
        """
A lookup such as `gather(table, ids)`, `one_hot(ids, classes = 10)` or the class ids of a loss takes ids from 0 to one less than the
number of rows or classes. The array that was given holds another one; ids do not count from the end.

Wrong, where the table has 100 rows:
    model(tokens=[[100]])
Mended:
    model(tokens=[[99]])
""",
    ),
    Code(
        "DL5042",
        "what is assigned to a parameter does not fit",
        """
`model.params` has a key for every parameter, and assigning to one copies into its array: the shape is the parameter's (or
that of one number, which fills it), numbers are converted to its element type, keys are neither added nor removed.

Wrong, where `hidden.weight` is f32[2, 8]:
    model.params["hidden.weight"] = np.zeros((8, 2))
Mended:
    model.params["hidden.weight"] = np.zeros((2, 8))
""",
    ),
    Code(
        "DL5050",
        "a test's expectation is not met",
        """
A value is not what the test expects. `a ~= b within t` asks for |a - b| <= t * (1 + |b|) for every element; the other
comparisons hold for every element; shapes must be equal, nothing is broadcast. Where a golden is meant to change, `dslc test
--update` rewrites it and shows how far its values moved.

Wrong, where sums in f32 differ in their last bits:
    expect net.y == [0.1, 0.7]
Mended:
    expect net.y ~= [0.1, 0.7] within 1e-5
""",
    ),
    Code(
        "DL5051",
        "a golden file is missing, damaged or misplaced",
        """
Goldens are JSON files inside the folder of the program that expects them, written by `dslc test --update`. One that is missing
fails its test: nothing is frozen until somebody has looked at it.

Wrong:
    expect net.y ~= golden("../elsewhere.json")
Mended:
    expect net.y ~= golden("golden/net_y.json")
""",
    ),
)
