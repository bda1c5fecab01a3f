"""What `dslc eval` found -> text or JSON: figures, and how a classifier does class by class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dslc_runtime.classification import ClassReport

_LONGEST = 20  # characters of a class's name
_MOST = 40  # classes whose confusion matrix is printed


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run on a part of the data.

    Attributes:
        names: what the ids of the classes stand for, in order, where the data say; a model may have more classes.
    """

    part: str
    rows: int
    engine: str
    figures: Mapping[str, float]
    classes: ClassReport | None
    names: tuple[str, ...] = ()

    def called(self, label: int) -> str:
        """The name of a class; its id where it has none."""
        return self.names[label] if label < len(self.names) else str(label)


def evaluation_json(found: Evaluation) -> str:
    """An evaluation as JSON."""
    facts: dict[str, Any] = {"split": found.part, "rows": found.rows, "engine": found.engine, **found.figures}
    if found.classes is not None:
        facts["confusion"] = found.classes.confusion.tolist()
        facts["classes"] = [
            {"label": c.label, "precision": c.precision, "recall": c.recall, "f1": c.f1, "support": c.support}
            | ({"name": found.called(c.label)} if found.names else {})
            for c in found.classes.classes
        ]
    return json.dumps(facts, indent=2)


def evaluation_text(found: Evaluation) -> str:
    """An evaluation as text: figures, then the confusion matrix and the scores of every class."""
    lines = [f"{found.part}: {found.rows} rows, {found.engine}"]
    lines += [f"  {name:12} {value:.6g}" for name, value in found.figures.items()]
    if found.classes is not None:
        names = [_shown(found.called(score.label)) for score in found.classes.classes]
        lines += ["", *_confusion(found.classes, names), "", *_scores(found.classes, names)]
    return "\n".join(lines)


def _shown(name: str) -> str:
    """A name that may come from anybody's file, on a terminal."""
    plain = "".join(character if character.isprintable() else "?" for character in name)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 3]}..."


def _confusion(report: ClassReport, names: list[str]) -> list[str]:
    if len(names) > _MOST:
        return [f"(the confusion matrix of {len(names)} classes is in `--json`)"]
    cell = max(4, len(str(report.confusion.max())) + 1, *(len(name) + 1 for name in names))
    first = max(5, *(len(name) for name in names))
    head = "".join(f"{name:>{cell}}" for name in names)
    rows = [
        f"{name:>{first}} " + "".join(f"{n:>{cell}}" for n in row)
        for name, row in zip(names, report.confusion.tolist(), strict=True)
    ]
    return ["confusion matrix (a row per true class, a column per predicted one)", f"{'':{first + 1}}{head}", *rows]


def _scores(report: ClassReport, names: list[str]) -> list[str]:
    first = max(5, *(len(name) for name in names))
    lines = [f"{'class':{first}}  precision  recall      f1    rows"]
    lines += [
        f"{name:>{first}}  {c.precision:>9.3f}  {c.recall:>6.3f}  {c.f1:>6.3f}  {c.support:>6}"
        for name, c in zip(names, report.classes, strict=True)
    ]
    return [*lines, f"mean f1 {report.macro_f1:.3f}, accuracy {report.accuracy:.4f}"]
