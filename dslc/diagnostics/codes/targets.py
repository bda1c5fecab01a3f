"""Codes of targets, engines and exports: DL6xxx."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL6001",
        "ONNX Runtime is not installed",
        """
The command needs ONNX Runtime, which is optional: training and prediction run on NumPy without it.

    pip install 'dslc[cpu]'       # runs exported models on the CPU
    pip install 'dslc[gpu]'       # on an NVIDIA GPU, with CUDA and cuDNN from PyPI

Install one of the two. Both write into the same folder: with both installed the last one wins, and removing one breaks
the other. `dslc doctor` shows what is installed and which devices really work.
""",
    ),
    Code(
        "DL6002",
        "the device that was asked for cannot be had",
        """
A session was asked to run on a device (`--device cuda`) and ONNX Runtime would have run somewhere else. That is an error,
never a silent fall-back: a model that is thought to run on a GPU and does not is the kind of surprise that ships.

`dslc doctor` opens a real session on every device and says what is missing. Leave `--device` out to run on the CPU.
""",
    ),
    Code(
        "DL6003",
        "ONNX Runtime refuses the model or fails to run it",
        """
ONNX Runtime could not load the model, or stopped while running it; its own message follows. Common causes are an element
type that one of its kernels does not serve (many have no f16 or f64 form on the CPU) and inputs of the wrong rank.
""",
    ),
    Code(
        "DL6004",
        "an export does not compute what NumPy computes",
        """
Every export is run on ONNX Runtime at several batch sizes and compared with the NumPy engine before the file is put in
place. The two disagreed, so no file was written. This is a defect of dslc or of ONNX Runtime, not of the program: please
report it with the program.
""",
    ),
    Code(
        "DL6005",
        "the model cannot be written as one ONNX file",
        """
An ONNX file is one protocol buffer, which holds at most 2 GiB. The parameters of this model take more.
""",
    ),
    Code(
        "DL6006",
        "the engine that was asked for does not train",
        """
Training runs on the NumPy engine. ONNX Runtime computes exported models: `dslc eval RUN --engine ort`, `dslc predict RUN
--engine ort`. A second training engine is planned; it will be chosen in the same place.
""",
    ),
    Code(
        "DL6007",
        "the opset that was asked for is not served",
        """
Exports are written at opset 18 and IR version 10, which every ONNX Runtime since 1.14 reads and for which its CUDA provider has
kernels. Other opsets are not written, because each one would have to be proved like this one.
""",
    ),
    Code(
        "DL6100",
        "a training does not fit in the memory that is allowed",
        """
`dslc train --memory 200MB` asks for a training that takes no more. Counted are the parameters, what the optimizer keeps for
them, and the inputs, results and all values between them of a full batch: of every program of the training, its steps, its
updates and its evaluation, each of which has memory of its own (`dslc info` tells that of a step alone). Not counted are
Python and its libraries (about 70 MB), the data, and what kernels work in.

If the training does not fit as it is, cheap results of the forward pass are computed again for the backward pass (`--remat`).
If it does not fit then, nothing runs: the message names the tensors that take most and the largest batch that fits.

    dslc train net.dl --memory 200MB --set train.net.batch=16

With `accumulate = 4` in the train block, four batches of 16 make one update, as one batch of 64 would.
""",
    ),
)
