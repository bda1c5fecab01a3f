"""A train block -> the text of a Python file that trains without `dslc`: what `dslc compile -o step.py` writes."""

from __future__ import annotations

from dslc.backends.script.writer import Script, Update, write_script
from dslc.check.typed import TypedTrain
from dslc.diagnostics import Diagnostic, DslcError, Help
from dslc.driver.models import static_shape
from dslc.driver.rates import stages
from dslc.driver.sharing import work_of
from dslc.driver.training import Prepared, prepare
from dslc.graph.arrays import numpy_dtype
from dslc.version import __version__
from dslc_runtime.threads import is_worth_splitting


def script_of(typed: TypedTrain) -> str:
    """The file that makes a train block's steps, from first values of its parameters.

    Raises:
        DslcError: a rate follows a score of validation, or weights come from a file: neither is in a file of its own (DL0058).
    """
    if typed.starts:
        raise _no_script("its models start from weights in a file", "leave out `init = weights(...)`")
    if any(stage.watched is not None for step in typed.steps for stage in step.optimizer.lr):
        raise _no_script("`plateau` follows scores that a step does not have", "choose a schedule of steps")
    return write_script(_script(typed, prepare(typed, start=False)))


def _script(typed: TypedTrain, prepared: Prepared) -> Script:
    kept = None if typed.average is None else (typed.average.decay, typed.average.warmup)
    applied = prepared.applied or (None,) * len(prepared.steps)
    return Script(
        _about(typed, prepared),
        [
            Update(step.name, program, stages(step), update, kept)
            for step, program, update in zip(typed.steps, prepared.steps, applied, strict=True)
        ],
        {
            key: (
                static_shape(spec.type),
                numpy_dtype(spec.type.dtype),
                spec.init.name,
                dict(spec.init.options),
                spec.init.value,
            )
            for key, spec in typed.params.items()
        },
        prepared.graphs.groups,
        prepared.graphs.buffers,
        typed.seed,
        typed.accumulate,
        typed.batch,
        typed.batch is not None and is_worth_splitting(work_of(prepared.state, typed.batch)),
    )


def _about(typed: TypedTrain, prepared: Prepared) -> list[str]:
    """The top of the file. It holds names of the program, so nothing that could end the string."""
    inputs = {name: spec for program in prepared.steps for name, spec in program.inputs.items()}
    shapes = [f"    {name}: {spec.dtype}[{', '.join(map(str, spec.shape))}]" for name, spec in inputs.items()]
    return [
        f"The training `{typed.name}` as NumPy code, written by dslc {__version__}. It needs Python 3.11 and NumPy 2.",
        "",
        "    run = training()",
        "    run.step(batch)  # one update; losses and metrics of the batch before it",
        "    run.params       # arrays by name",
        *(["    run.weights      # their running means"] if typed.average is not None else []),
        "",
        "A batch has an array for each of",
        "",
        *shapes,
        "",
        "As a command it trains on the rows of an .npz file with arrays of these names: python step.py data.npz --epochs 5",
    ]


def _no_script(why: str, mend: str) -> DslcError:
    return DslcError([Diagnostic("DL0058", f"this training cannot be a file of its own: {why}", (), (Help(mend),))])
