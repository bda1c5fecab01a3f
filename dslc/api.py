"""The Python API: programs, models, trainers and runs. Everything it returns is NumPy or plain Python."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Never, cast

import numpy.typing as npt

from dslc.check.typed import Literal as Hyper
from dslc.diagnostics import Diagnostic, DslcError
from dslc.driver import exporting, runs, stepping, training
from dslc.driver.data import open_data
from dslc.driver.faults import as_diagnostics
from dslc.driver.feeding import convert, feed_arrays, require_names
from dslc.driver.frontend import Checked, check_program, read_source, recheck
from dslc.driver.meanings import Meanings, meanings_of
from dslc.driver.models import Compiled, choose_model, compile_model, initial_params
from dslc.driver.params import Params
from dslc.source import Source
from dslc_runtime import checkpoint
from dslc_runtime.data.parts import Part
from dslc_runtime.errors import listed
from dslc_runtime.evaluate import predict, program_run
from dslc_runtime.run_folder import WEIGHTS

Array = npt.NDArray[Any]
PathLike = str | Path


def load(path: PathLike, *, allow_import: Sequence[PathLike] = ()) -> Program:
    """The program in a `.dl` file.

    Args:
        allow_import: folders besides the file's own that it may import from.

    Raises:
        DslcError: it cannot be read, or has errors; `.diagnostics` holds them.
    """
    return Program(check_program(read_source(Path(path)), allowed=[Path(folder) for folder in allow_import]))


def parse(text: str, name: str = "<string>") -> Program:
    """The program in a text; relative paths of data in it start in the current folder. It cannot import files.

    Raises:
        DslcError: it has errors.
    """
    return Program(check_program(Source(name, text)))


def open_run(path: PathLike) -> Run:
    """A run that `dslc train` or `Trainer.fit` wrote.

    Raises:
        DslcError: there is no run in the folder, or it cannot be read.
    """
    with as_diagnostics():
        opened = runs.open_run(Path(path))
        history, meanings = opened.history(), opened.meanings()
    models = {
        name: Model(compiled, opened.params_of(name), _meanings=meanings[name])
        for name, compiled in opened.compiled().items()
    }
    return Run(opened.folder.path, history, models)


@dataclass(frozen=True, slots=True)
class Program:
    """A checked program.

    Attributes:
        checked: what the checker knows of it; not part of the stable API.
    """

    checked: Checked = field(repr=False)

    @property
    def models(self) -> tuple[str, ...]:
        """The names of its models, then of those that it imports by name."""
        return tuple(self.checked.file.scope.models())

    @property
    def trainers(self) -> tuple[str, ...]:
        """The names of its train blocks."""
        return tuple(self.checked.file.trains)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What the checker found that is no error."""
        return self.checked.warnings

    def model(self, name: str | None = None, *, seed: int = 0, **hypers: Hyper) -> Model:
        """A model with initial parameters.

        Args:
            name: which; may be left out where there is one.
            seed: of the initial parameters.
            hypers: hyper-parameters other than their defaults.

        Raises:
            DslcError: no such model, or hyper-parameters that do not fit.
        """
        _require("seed", seed, 0)
        typed = choose_model(self.checked, name, hypers, naming='model("{}")'.format)
        return Model(compile_model(typed), initial_params(typed.body.params, seed), seed)

    def trainer(
        self,
        name: str | None = None,
        *,
        engine: Literal["numpy"] = "numpy",
        set: Mapping[str, Any] | None = None,
        remat: bool = False,
        threads: int | None = None,
    ) -> Trainer:
        """A train block, compiled; nothing has run yet.

        Args:
            name: which; may be left out where there is one.
            engine: NumPy is the only engine that trains.
            set: settings by path, as `--set` takes them: ``{"train.xor.epochs": 10}``.
            remat: compute cheap results again for the backward pass: less memory, the same numbers.
            threads: how many cores `step`, `gradients` and `fit` use, taken as given; None chooses by the work of a step.

        Raises:
            DslcError: no such train block, or a setting that does not fit.
        """
        if engine != "numpy":
            raise DslcError([Diagnostic("DL6006", f"there is no training engine `{engine}`; there is `numpy`")])
        if threads is not None:
            _require("threads", threads, 1)
        checked = self.checked
        if set:
            checked = recheck(checked, [f"{path}={_written(value)}" for path, value in set.items()])
        with as_diagnostics():
            typed = training.choose_train(checked, name, naming='trainer("{}")'.format)
            prepared = training.prepare(typed, remat=remat)
        return Trainer(checked, prepared, threads)


def _require(name: str, value: object, least: int) -> None:
    """Check a whole number among the arguments.

    Raises:
        ValueError: it is none, or too small.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"`{name}` must be a whole number of at least {least}, not {value!r}")


def _written(value: object) -> str:
    """A Python value as the language writes it."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(item) for item in cast('Sequence[object]', value))}]"
    return repr(value)


@dataclass(slots=True)
class Model:
    """A model in inference mode with its parameters.

    Attributes:
        params: parameters by key, as in checkpoints and ONNX. Assigning to a key, or writing into its array, changes the model.
        seed: of the initial parameters; None for a trained model.
    """

    _compiled: Compiled
    params: dict[str, Array]
    seed: int | None = None
    _meanings: Meanings = field(default_factory=Meanings)

    def __post_init__(self) -> None:
        self.params = Params(self.params)

    def __repr__(self) -> str:
        trained = (key for key, spec in self._compiled.typed.body.params.items() if spec.trainable)
        return f"Model({self.name}: {sum(self.params[key].size for key in trained):_} parameters)"

    @property
    def name(self) -> str:
        return self._compiled.typed.name

    @property
    def inputs(self) -> dict[str, tuple[int | str, ...]]:
        """The shape of each input; run-time sizes are strings."""
        return {name: spec.shape for name, spec in self._compiled.program.inputs.items()}

    @property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """What the classes of outputs are called, in the order of their ids, by output; only a run's model knows."""
        outputs = self._meanings.outputs.items()
        return {name: known.names for name, known in outputs if known.kind == "classes"}

    @property
    def tokens(self) -> dict[str, tuple[str, ...]]:
        """The tokens that ids of inputs and outputs stand for, by name: "" for 0, padding, and 1, unknown. As `classes`."""
        meant = {**self._meanings.inputs, **self._meanings.outputs}
        return {name: known.names for name, known in meant.items() if known.kind == "tokenize"}

    def __call__(self, *unnamed: Never, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """The outputs by name for one batch of inputs, in inference mode.

        Raises:
            DslcError: an input is missing, unknown, given without its name, or of another shape or kind (DL5040).
        """
        require_names(unnamed, self._compiled.program.inputs)
        bound = feed_arrays(self._compiled.program, inputs, self.params)
        with as_diagnostics():
            bound.run()
        return {name: value.copy() for name, value in bound.outputs.items()}

    def predict(self, batch: int | None = None, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """As a call, in batches of so many rows, for inputs too large to compute at once."""
        if batch is not None:
            _require("batch", batch, 1)
        converted = convert(self._compiled.program.inputs, inputs)
        with as_diagnostics():
            return predict(program_run(self._compiled.program, self.params), Part(converted), batch)

    def save(self, path: PathLike) -> None:
        """Write the parameters as safetensors, atomically.

        Raises:
            DslcError: the file cannot be written.
        """
        with as_diagnostics():
            checkpoint.save(Path(path), WEIGHTS, self.params, {"model": self.name})

    def load(self, path: PathLike) -> None:
        """Read the parameters from a safetensors file with exactly this model's keys, shapes and types.

        Raises:
            DslcError: the file cannot be read or does not fit; the parameters stay as they were.
        """
        with as_diagnostics():
            found = checkpoint.load(Path(path)).tensors
            checkpoint.require_fit(Path(path), found, self.params)
        for key, value in self.params.items():
            value[...] = found[key]

    def export(self, path: PathLike, opset: int = exporting.OPSET) -> None:
        """Write ONNX, compared with the NumPy engine (where ONNX Runtime is installed) before the file is put in place.

        Raises:
            DslcError: the opset is not served, the engines disagree, or the file cannot be written.
        """
        with as_diagnostics():
            facts, _ = self._meanings.metadata()
            exporting.export_model(self._compiled, self.params, Path(path), opset=opset, facts=facts)


@dataclass(slots=True)
class Trainer:
    """A train block with its state: first values, then whatever `step` and `fit` make of them."""

    _checked: Checked = field(repr=False)
    _prepared: training.Prepared = field(repr=False)
    _threads: int | None = None
    _batches: int = 0
    _rows: int = 0  # of the batches since the last update
    _per_epoch: int = 0

    def __repr__(self) -> str:
        return f"Trainer({self._prepared.typed.name}: {self._batches // self._prepared.typed.accumulate} steps)"

    @property
    def models(self) -> dict[str, Model]:
        """The models by `use` name; their parameters are the trainer's own memory."""
        prepared = self._prepared
        return {
            name: Model(compile_model(typed), runs.params_of(typed, name, prepared.typed, prepared.state.params))
            for name, typed in prepared.typed.uses.items()
        }

    def gradients(self, batch: Mapping[str, npt.ArrayLike], step: str | None = None) -> tuple[float, dict[str, Array]]:
        """The loss on a batch and its gradient by parameter key, in training mode; nothing is updated.

        Args:
            batch: arrays by field name, ``[batch, *field's shape]``.
            step: which `step` of the train block, where it has several.
        """
        with as_diagnostics():
            return stepping.gradients(self._prepared, batch, self._batches + 1, step, self._threads)

    def step(self, batch: Mapping[str, npt.ArrayLike]) -> dict[str, float]:
        """One batch (for each `step` in turn); the losses and metrics before its update.

        With `accumulate = n` every n-th batch updates, from the gradient of all of them. A rate that follows a score (`plateau`)
        stays at its first value, since there are no epochs here; the first step warns of that.
        """
        followed = stepping.scores_followed(self._prepared) if not self._batches else ()
        if followed:
            text = f"the learning rate follows {listed(followed)}, which `step` does not measure: it is not cut; `fit` cuts it"
            warnings.warn(text, stacklevel=2)
        with as_diagnostics():
            found = stepping.one_step(
                self._prepared, batch, self._batches + 1, self._steps_per_epoch, self._rows, self._threads
            )
        self._batches += 1
        due = self._batches % self._prepared.typed.accumulate == 0
        self._rows = 0 if due else self._rows + stepping.rows_in(batch)
        return found

    def _steps_per_epoch(self) -> int:
        """As the program's own data have it; they are opened once."""
        if not self._per_epoch:
            typed = self._prepared.typed
            self._per_epoch = training.steps_per_epoch(typed, open_data(self._checked, typed.data, typed.fields))
        return self._per_epoch

    def fit(self, out: PathLike | None = None, *, force: bool = False, threads: int | None = None) -> Run:
        """Train for all epochs on the program's data, and write a run folder if `out` names one.

        Once more, it goes on from the weights and the optimizer's state that there are, for all epochs again, with a new history.

        Args:
            out: the run folder; None keeps everything in memory.
            force: replace the run that may be in `out`.
            threads: how many cores to use, taken as given; None: what `Program.trainer` was given, or else chooses by the work
                of a step. The rows of a batch may be shared out to processes.

        Raises:
            DslcError: there is a run in `out` already, or the data or the numbers are at fault; the last finished epoch is kept.
            KeyboardInterrupt: Ctrl-C; the last finished epoch is kept, in `models` and in `out`. So it is in `out` where SIGTERM
                or SIGHUP ends the process.
        """
        if threads is not None:
            _require("threads", threads, 1)
        folder = Path(out) if out is not None else None
        with as_diagnostics():
            cores = threads if threads is not None else self._threads
            trained = training.fit(self._checked, self._prepared, out=folder, force=force, threads=cores)
        trained.result.raise_if_interrupted()
        typed = self._prepared.typed
        meanings = meanings_of(self._checked, typed, trained.opened.learned)
        models = {
            name: Model(
                compile_model(model),
                runs.params_of(model, name, typed, trained.result.best),
                _meanings=meanings[name],
            )
            for name, model in typed.uses.items()
        }
        return Run(trained.folder.path if trained.folder else None, trained.result.history, models)


@dataclass(frozen=True, slots=True)
class Run:
    """What a training left.

    Attributes:
        path: the run folder, or None.
        history: one dict per epoch.
        models: by `use` name, with the weights of the last finished epoch.
    """

    path: Path | None
    history: Sequence[dict[str, Any]]
    models: Mapping[str, Model]

    def __repr__(self) -> str:
        return f"Run({self.path or 'in memory'}: {len(self.history)} epochs)"
