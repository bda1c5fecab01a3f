"""ONNX Runtime: the exported model in inference mode."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnxruntime

from benchmarks.case import Case
from benchmarks.stacks.built import Built
from benchmarks.stacks.with_dslc import set_params, trainer_of

_OPTIONS = onnxruntime.SessionOptions()


def load(threads: int) -> None:
    """Sessions run with so many threads."""
    _OPTIONS.intra_op_num_threads = threads
    _OPTIONS.inter_op_num_threads = 1


def build(case: Case, variant: str, threads: int) -> Built:
    """Export the model and open it."""
    del variant, threads
    trainer = trainer_of(case.workload)
    set_params(trainer, case.params)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        trainer.models["net"].export(path)
        session = onnxruntime.InferenceSession(path.read_bytes(), _OPTIONS, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    feeds = dict(zip((given.name for given in session.get_inputs()), case.inputs, strict=True))

    def run(steps: int) -> None:
        for _ in range(steps):
            session.run(names, feeds)

    return Built(run, lambda: dict(zip(names, session.run(names, feeds), strict=True)))
