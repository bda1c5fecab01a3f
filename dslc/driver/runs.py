"""Opening a run folder again: `config.dl` is checked like any program, and the weights are held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.check.typed import TypedModel, TypedTrain
from dslc.driver.frontend import Checked, check_program, read_source
from dslc.driver.meanings import Meanings, meanings_of
from dslc.driver.models import Compiled, compile_model, static_shape
from dslc.driver.training import choose_train
from dslc.graph.arrays import numpy_dtype
from dslc_runtime import checkpoint
from dslc_runtime.data.learning import Learned
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.history import read_history
from dslc_runtime.run_folder import RunFolder
from dslc_runtime.run_folder import open_run as open_folder
from dslc_runtime.threads import usable_cores

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run: its folder, its program, the train block that made it, and the best weights by key."""

    folder: RunFolder
    checked: Checked
    typed: TypedTrain
    params: Mapping[str, Array]

    def params_of(self, use: str) -> dict[str, Array]:
        """The weights of one model, by its own keys."""
        return params_of(self.typed.uses[use], use, self.typed, self.params)

    @property
    def threads(self) -> int | None:
        """The BLAS threads it was trained with, as far as there are cores for them; None where that is not known."""
        used = self.folder.read_about().get("threads")
        return min(max(used, 1), usable_cores()) if isinstance(used, int) else None

    def compiled(self) -> dict[str, Compiled]:
        """The models in inference, by `use` name."""
        return {use: compile_model(typed) for use, typed in self.typed.uses.items()}

    def learned(self) -> dict[str, Learned]:
        """What the fields learned.

        Raises:
            RuntimeFault: DL5068, it is not there as it was saved.
        """
        return self.folder.read_learned()

    def meanings(self) -> dict[str, Meanings]:
        """What the numbers of each model stand for, by `use` name.

        Raises:
            RuntimeFault: DL5068, what the fields learned is not there as it was saved.
        """
        return meanings_of(self.checked, self.typed, self.learned())

    def history(self) -> list[dict[str, Any]]:
        """One dict per epoch."""
        return read_history(self.folder.history)


def open_run(path: Path, data: Path | None = None) -> OpenedRun:
    """The run in a folder.

    Args:
        data: read the data from here instead of where the program says.

    Raises:
        RuntimeFault: there is no run (DL5024), or its weights are damaged or of another program (DL5020 to DL5022).
        DslcError: its `config.dl` has errors.
    """
    folder = open_folder(path)
    name = folder.read_about().get("train")
    checked = check_program(read_source(folder.config), data=data)
    typed = choose_train(checked, name if isinstance(name, str) else None)
    if not folder.model.exists():
        raise RuntimeFault("DL5024", "the run has no weights: no epoch was finished", str(path), help="train again")
    found = checkpoint.load(folder.model).tensors
    expected = {
        key: np.empty(static_shape(spec.type), numpy_dtype(spec.type.dtype)) for key, spec in typed.params.items()
    }
    checkpoint.require_fit(folder.model, found, expected)
    return OpenedRun(folder, checked, typed, found)


def params_of(model: TypedModel, use: str, train: TypedTrain, params: Mapping[str, Array]) -> dict[str, Array]:
    """A model's own parameters among those of a training, where keys begin with the `use` name if there are several."""
    prefix = train.prefix(use)
    return {key: params[prefix + key] for key in model.body.params}
