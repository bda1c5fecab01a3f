"""What functions of fields do with whole columns: learn from the training part, then turn any rows into numbers.

A function is a `Transform`; what it learned is plain data that JSON can hold, so that a run can save it and predict with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.table import TEXT, Table
from dslc_runtime.errors import RuntimeFault, listed, near_name

Array: TypeAlias = npt.NDArray[Any]
Learned: TypeAlias = Mapping[str, Any]  # numbers, strings and lists of them, by name


class Transform(Protocol):
    """A function of rows."""

    def learn(self, rows: Array, table: Table) -> Learned:
        """What is to be known of the training part; `rows` are its rows, which come from `table`."""
        ...

    def apply(self, rows: Array, learned: Learned, table: Table) -> Array:
        """The function's value for every row."""
        ...

    def fits(self, learned: Learned) -> bool:
        """Whether something read from a file can have been learned by this function."""
        ...


# ---------------------------------------------------------------------------------------------- classes


@dataclass(frozen=True, slots=True)
class Classes:
    """Labels as ids from 0, in their order: numbers by size, text by its characters."""

    column: str

    def learn(self, rows: Array, table: Table) -> Learned:
        """The labels there are.

        Raises:
            RuntimeFault: DL5067, they are no labels.
        """
        if rows.dtype != TEXT and rows.dtype.kind not in "iu":
            text = f"column `{self.column}` holds {rows.dtype} values; labels are text or whole numbers"
            raise RuntimeFault("DL5067", text, table.name)
        return {"labels": sorted(set(rows.tolist()))}

    def apply(self, rows: Array, learned: Learned, table: Table) -> Array:
        """The id of each label.

        Raises:
            RuntimeFault: DL5064, the training part has no such label.
        """
        ids = {label: number for number, label in enumerate(learned["labels"])}
        found = [ids.get(label, -1) for label in rows.tolist()]
        if -1 in found:
            row = found.index(-1)
            label = rows[row]
            known = [str(label) for label in ids]
            raise RuntimeFault(
                "DL5064",
                f"column `{self.column}` holds the label `{label}` in {table.place(row)}, which the training part has not",
                table.name,
                [f"its labels are {listed(known)}"],
                near_name(str(label), known),
            )
        return np.array(found, np.int64)

    def fits(self, learned: Learned) -> bool:
        labels = learned.get("labels")
        return isinstance(labels, list) and all(isinstance(label, str | int) for label in cast("list[object]", labels))


#: The functions by name; each takes the column or the field that messages name, then its options.
TRANSFORMS: Mapping[str, Callable[..., Transform]] = {"classes": Classes}
