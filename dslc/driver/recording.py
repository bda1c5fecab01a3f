"""What a training leaves in its run folder beside weights: the program, the facts of the run, and a report at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dslc.check.typed import TypedTrain
from dslc.driver.data import Opened
from dslc.driver.frontend import Checked
from dslc.driver.resuming import merged, require_resumable, set_before
from dslc.driver.run_parts import change, parts_of
from dslc.driver.sharing import Cores
from dslc.version import __version__
from dslc_runtime.data.learned import Learned, digest
from dslc_runtime.loop import Result
from dslc_runtime.report import write_report
from dslc_runtime.run_folder import RunFolder, create_run, machine, write_program
from dslc_runtime.threads import describe, limited


@dataclass(slots=True)
class Record:
    """The run folder of one training.

    Attributes:
        text: the program.
        about: the facts of the run, as `run.json` holds them.
        before: what it held when a run was resumed; None for a new one.
        begun: whether an epoch has begun: a run that is resumed may have nothing left to train.
    """

    folder: RunFolder
    text: str
    about: dict[str, Any]
    before: Mapping[str, Any] | None
    begun: bool = False

    def begin(self, first: int, cores: Cores) -> str:
        """Right before the first epoch: a resumed run writes its facts anew. What rounds differently from now on, or ""."""
        self.begun = True
        if self.before is None:
            return ""
        parts = parts_of(self.before, first, cores)
        if len(parts) > 1:
            self.about["parts"] = parts
        write_program(self.folder, self.text, self.about)
        return change(parts, first)

    def end(self, train: str, result: Result) -> None:
        """Write the report, unless it is there and nothing was added to it."""
        if self.begun or not self.folder.report.exists():
            write_report(self.folder, train, result.history, result.progress.best_epoch, self.folder.read_about())


def recorded(out: Path, text: str, about: Mapping[str, Any], learned: Mapping[str, Learned], *, resume: bool) -> Record:
    """The record of a training that begins, or of one that goes on.

    Args:
        learned: what the data's fields learned.
    """
    if not resume:
        return Record(create_run(out, text, about, learned), text, dict(about), None)
    folder = RunFolder(out)
    before = folder.read_about() if folder.about.exists() else {}
    kept = {"weights": before.get("weights", [])} if before else {}  # started from then, not now
    changed = merged([*set_before(before), *set_before(about)])
    return Record(folder, text, {**about, **kept, "set": changed}, before)


def learned_before(
    folder: RunFolder, checked: Checked, train: str, settings: Sequence[str]
) -> Mapping[str, Learned] | None:
    """What the data's fields of a run that is resumed learned, whose program is proved to be this one; None where there is no run.

    Raises:
        RuntimeFault: DL5025, it is another training.
    """
    if not folder.config.exists():
        return None
    require_resumable(folder, checked, train, settings)
    return folder.read_learned()


def facts(
    checked: Checked,
    typed: TypedTrain,
    settings: Sequence[str],
    weights: Sequence[Mapping[str, Any]],
    opened: Opened,
    cores: Cores,
) -> dict[str, Any]:
    """What `run.json` says of a training.

    Args:
        settings: what `--set` changed.
        weights: those that models started from.
    """
    with limited(cores.threads):
        blas = describe()
    return {
        "dslc": __version__,
        "train": typed.name,
        "set": merged(settings),
        "engine": "numpy",
        "device": "cpu",
        "seed": typed.seed,
        "threads": cores.threads,
        "processes": cores.processes,
        "blas": blas,
        "source": checked.source.name,
        "source_sha256": sha256(checked.source.text.encode()).hexdigest(),
        "data": opened.fingerprint,
        "fields": digest(opened.learned),
        "weights": list(weights),
        "machine": machine(),
    }
