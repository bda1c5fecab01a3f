"""A data block's part of what `check` hands on: sources, what fields read of them, and how fields are computed."""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.typed.model import Body, Literal, TypedValue
from dslc.record import field, record
from dslc.source import Span
from dslc.tensor_type import TensorType


@record
class SourceSpec:
    """Where one part of the data is read from.

    Attributes:
        kind: "inline", "npz", "csv", "text_lines" or "idx".
        path: as written, relative to the file; "" for inline and idx.
        columns: column name in the program -> name in the file, the file (idx) or the literal rows (inline). Empty where the
            file alone knows its columns.
        options: how the file is read: the `delimiter` and `missing` of csv, the `unit` of text_lines.
    """

    kind: str
    path: str
    columns: Mapping[str, Literal]
    span: Span
    options: Mapping[str, Literal] = field(factory=dict[str, Literal])


@record
class ColumnRead:
    """What a field takes from one row of the source, where it is written.

    Attributes:
        columns: one column, several that are stacked, or the two ends of a range of neighbouring ones.
        range: whether they are the ends of a range.
        content: "numbers", "text", or "labels", which may be integers or text.
    """

    columns: tuple[str, ...]
    span: Span
    range: bool = False
    content: str = "numbers"

    @property
    def name(self) -> str:
        """What bodies and tables call it: a column of numbers by its own name, all else as it is written."""
        if self.content == "numbers" and len(self.columns) == 1:
            return self.columns[0]
        written = (":" if self.range else ", ").join(f'"{column}"' for column in self.columns)
        return written if self.content == "numbers" else f"{self.content} {written}"


@record
class FieldSpec:
    """One field: the type of one sample, what it reads, and its expression.

    The types of the columns are known only when the file is opened, so that the expression is elaborated then, against the
    real dtypes and shapes (`fields.field_body`).
    """

    name: str
    type: TensorType
    reads: tuple[ColumnRead, ...]
    expr: object  # the syntax tree's expression
    span: Span


@record(eq=False)
class FieldBody:
    """A field's expression, or a part of it, over many rows.

    Attributes:
        body: its inputs have the run-time size `rows` in front; they are named like the reads and the derived columns.
        value: the result in it.
        reads: the columns of numbers that it reads, by name.
        derived: its other inputs, by name.
    """

    body: Body
    value: TypedValue
    reads: Mapping[str, ColumnRead]
    derived: Mapping[str, Derived]


@record(eq=False)
class Derived:
    """An input of a field's body that is made from others by a function that no operator is: it reads text, or all rows.

    Attributes:
        kind: the function, as `dslc_runtime.data.transforms` names it.
        operand: the column of text, or the value, that it is applied to.
        options: its options, all of them.
        learned: what is learned from the training part is saved under this key; "" where nothing is.
        type: of one row of the result.
    """

    kind: str
    operand: ColumnRead | FieldBody
    options: Mapping[str, Literal]
    learned: str
    type: TensorType
    span: Span


@record
class TypedData:
    """A data block. `sources` has the key "train", and "val", "test" where they are written; `split` has shares of train."""

    name: str
    sources: Mapping[str, SourceSpec]
    fields: Mapping[str, FieldSpec]
    split: Mapping[str, float]
    shuffle_seed: int
    stratify: str  # a field, or ""
    doc: str
    span: Span
