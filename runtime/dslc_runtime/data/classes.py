"""Labels -> ids, by the labels of the training part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.learning import Learned
from dslc_runtime.data.table import TEXT, Table
from dslc_runtime.errors import RuntimeFault, listed, near_name

Array: TypeAlias = npt.NDArray[Any]

_LONGEST = 60  # characters of a label in a message


@dataclass(frozen=True, slots=True)
class Classes:
    """Labels as ids from 0, in their order: numbers by size, text by its characters."""

    column: str

    def learn(self, rows: Array, table: Table) -> Learned:
        """The labels there are.

        Raises:
            RuntimeFault: DL5067, they are no labels.
        """
        self._require_labels(rows, table)
        return {"labels": sorted(set(rows.tolist()))}

    def apply(self, rows: Array, learned: Learned, table: Table) -> Array:
        """The id of each label.

        Raises:
            RuntimeFault: DL5064, the training part has no such label, DL5067, they are no labels.
        """
        self._require_labels(rows, table)
        ids = {label: number for number, label in enumerate(learned["labels"])}
        text = any(
            isinstance(label, str) for label in ids
        )  # of which these rows may hold only what looks like a number
        found = [ids.get(str(label) if text else label, -1) for label in rows.tolist()]
        if -1 in found:
            row = found.index(-1)
            label = _shown(rows[row])
            known = [_shown(label) for label in ids]
            raise RuntimeFault(
                "DL5064",
                f"column `{self.column}` holds the label `{label}` in {table.place(row)}, which the training part has not",
                table.name,
                [f"its labels are {listed(known)}"],
                near_name(label, known),
            )
        return np.array(found, np.int64)

    def _require_labels(self, rows: Array, table: Table) -> None:
        if rows.ndim != 1 or (rows.dtype != TEXT and rows.dtype.kind not in "iu"):
            kind = "text" if rows.dtype == TEXT else str(rows.dtype)
            held = f"{kind} values" if rows.ndim == 1 else f"rows of {kind} values"
            text = f"column `{self.column}` holds {held}; a label is text or a whole number"
            raise RuntimeFault("DL5067", text, table.name)

    def fits(self, learned: Learned) -> bool:
        labels = learned.get("labels")
        return isinstance(labels, list) and all(isinstance(label, str | int) for label in cast("list[object]", labels))


def _shown(label: str | int) -> str:
    """A label in a message; a cell may be as long as it likes."""
    text = str(label)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
