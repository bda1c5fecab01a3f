"""What an expression can be while a program is checked: compile-time values, tensors, layers, functions.

Plain data. A tensor is a `TypedValue` of the body under construction; everything else exists at compile time only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from dslc.check.typed import Body, ColumnRead, Literal, Origin, TypedValue
from dslc.record import field, record
from dslc.source import Source, Span
from dslc.syntax import tree
from dslc.tensor_type import DType, Size

Scalar: TypeAlias = "None | bool | int | float | str | DType | Size"


@record
class Const:
    """A compile-time scalar. A `Size` without symbols is an exact fraction (``1 / 3``).

    Attributes:
        origin: where it came from, for notes on sizes.
        by_mode: whether it depends on `training`.
    """

    value: Scalar
    origin: Origin | None = None
    by_mode: bool = False


@record
class ListValue:
    """A list, or the several results of `split`."""

    items: tuple[Value, ...]
    span: Span


@record
class RecordValue:
    """A record ``{ a: 1 }``."""

    items: Mapping[str, Value]
    span: Span


@record
class FunctionRef:
    """A function that is not called yet: an operator by name, with options bound (``leaky_relu(0.1)``)."""

    name: str
    options: tuple[tuple[str, Const | ListValue], ...] = ()


@record
class Scan:
    """How a cell is run along time: what is written in ``scan(Cell(64), axis = 0)`` beside the cell.

    Attributes:
        init: initial values of states by name, each where it was written; they are values of `body`.
        return_state: whether the states after the last step are results too.
        lengths: how many steps each sample has, and where that was written; a value of `body`. None: all have all of them.
    """

    axis: int
    reverse: bool
    return_state: bool
    init: Mapping[str, tuple[Value, Span]]
    body: Body
    lengths: tuple[Value, Span] | None = None


@record
class LayerRef:
    """A model, block or cell with its hyper-parameters: what ``Dense(32)`` is before it is applied.

    Attributes:
        scan: how a cell is run along time; None for a block, and for a cell alone.
        name: the hyper-parameter that hands it into a body, or "".
        positional: where the hyper-parameters stand that were given by position.
    """

    definition: tree.Definition
    home: FileScope
    hypers: Mapping[str, Value]
    span: Span
    scan: Scan | None = None
    name: str = ""
    positional: tuple[Span, ...] = ()


@record(eq=False, frozen=False)
class Instance:
    """A layer that has a path and so owns parameters. It makes them when it is called first; later calls share them.

    Attributes:
        path: labels joined by dots; the prefix of its parameters' keys. "" for a model alone.
        site: where its random streams begin.
        lookup: gives the value of an input (its name, the statement, the place of the read) when a value of the instance is
            read: so `use net = M()` binds inputs on first use. None where it must be called.
        values: what `instance.name` reads, by path inside the instance; filled by its first call.
        hypers: all its hyper-parameters, defaults included, once it was called.
        results: the results of its first call (of the one its `lookup` gives, where it has one), or None before it.
        calls: how often it was called.
        call: where the random streams of the last call begin.
        labelled: whether its path is its own; a layer without parameters may have that of its statement.
        inner: the layers its body made in its first call, by their place in it.
    """

    ref: LayerRef
    path: str
    site: str
    span: Span
    lookup: Callable[[str, tree.InputStmt, Span], Value] | None = None
    values: dict[str, TypedValue] = field(factory=dict[str, TypedValue])
    hypers: dict[str, Value] = field(factory=dict[str, "Value"])
    results: Value | None = None
    calls: int = 0
    call: str = ""
    labelled: bool = True
    inner: dict[str, Instance] = field(factory=dict[str, "Instance"])


@record
class Scanned:
    """A cell that has a name, run along time: ``scan(one)`` after ``layer one = Cell(64)``. Its scans share its parameters."""

    instance: Instance
    scan: Scan
    span: Span


@record
class Namespace:
    """Something whose names can be read: `data` in a train block, `enc.conv` inside an instance.

    Attributes:
        title: what it is, for messages: "data block `digits`".
        names: the names that can be read.
        read: the value of one of them; called once per read, so it may make inputs on demand.
    """

    title: str
    names: tuple[str, ...]
    read: Callable[[str, Span], Value]


@record
class SourceColumns:
    """The `source` of a data block inside a field; what an index of it means depends on where it stands."""

    read: Callable[[tree.Index], Value]


@record
class TextColumn:
    """A column of text inside a field, until a function makes numbers of it."""

    read: ColumnRead


@record(eq=False)
class LocalFunction:
    """A function of one block alone (`l2` in a train block): applied to arguments at a place, it gives a value."""

    name: str
    call: Callable[..., Value]


@record
class Failed:
    """The value of an expression with a reported mistake: whatever uses it stays silent."""


FAILED = Failed()

Applicable: TypeAlias = "FunctionRef | LocalFunction | LayerRef | Instance | Scanned"
Columns: TypeAlias = "SourceColumns | TextColumn"
Value: TypeAlias = "Const | ListValue | RecordValue | Namespace | Columns | TypedValue | Failed | Applicable"


@record
class Imported:
    """A name that a file imports: the file it comes from, what that declares (None for the whole file), and where it is named."""

    home: FileScope
    decl: tree.Definition | tree.DataDecl | tree.TrainDecl | None
    ident: tree.Ident


@record(eq=False, frozen=False)
class FileScope:
    """The declarations of one file by name, and what it imports.

    Attributes:
        library: whether it is one of ours, so that a mistake in it is shown at its user.
        imported: declarations of other files.
        modules: whole files, whose declarations are read as `nets.MLP`.
        lost: imported names that mean nothing because of a mistake that was reported.
        meant: declarations in small letters, which was reported, by the names that they should have.
        sound: whether no mistake was found in the file or in those that it imports.
        elaborated: the models and blocks whose bodies were checked because something used them.
        mentioned: names that train and test blocks read from models (`net.NAME`): they count as used.
    """

    file: tree.File
    library: bool = False
    dims: dict[str, tree.Ident] = field(factory=dict[str, tree.Ident])
    definitions: dict[str, tree.Definition] = field(factory=dict[str, tree.Definition])
    datas: dict[str, tree.DataDecl] = field(factory=dict[str, tree.DataDecl])
    trains: dict[str, tree.TrainDecl] = field(factory=dict[str, tree.TrainDecl])
    tests: list[tree.TestDecl] = field(factory=list[tree.TestDecl])
    mentioned: frozenset[str] = frozenset()
    elaborated: set[str] = field(factory=set[str])
    imported: dict[str, Imported] = field(factory=dict[str, Imported])
    modules: dict[str, Imported] = field(factory=dict[str, Imported])
    lost: dict[str, tree.Ident] = field(factory=dict[str, tree.Ident])
    meant: dict[str, tree.Definition] = field(factory=dict[str, tree.Definition])
    sound: bool = True

    def definition(self, name: str) -> tuple[FileScope, tree.Definition] | None:
        """A model, block or cell of the file or imported by it, and the file that declares it."""
        own = self.definitions.get(name) or self.meant.get(name)
        if own is not None:
            return self, own
        found = self.imported.get(name)
        return (found.home, found.decl) if found is not None and isinstance(found.decl, tree.Definition) else None

    def train(self, name: str) -> tuple[FileScope, tree.TrainDecl] | None:
        """A train block of the file or imported by it, and the file that declares it."""
        if name in self.trains:
            return self, self.trains[name]
        found = self.imported.get(name)
        return (found.home, found.decl) if found is not None and isinstance(found.decl, tree.TrainDecl) else None

    def models(self) -> list[str]:
        """The names of models that can be used here: the file's own, then imported ones."""
        return [name for name in (*self.definitions, *self.imported) if self._is_model(name)]

    def _is_model(self, name: str) -> bool:
        found = self.definition(name)
        return found is not None and found[1].kind == "model"

    def declared(self, name: str) -> tree.Definition | tree.DataDecl | tree.TrainDecl | None:
        """What the file itself declares under a name that others may import."""
        return self.definitions.get(name) or self.datas.get(name) or self.trains.get(name)

    def imported_at(self, name: str) -> Span | None:
        """Where an import gives the file a name."""
        found = self.imported.get(name) or self.modules.get(name)
        ident = found.ident if found is not None else self.lost.get(name)
        return None if ident is None else ident.span

    @property
    def source(self) -> Source:
        return self.file.source


def is_number(value: Scalar) -> bool:
    """Whether a scalar is a number; booleans are not."""
    return isinstance(value, int | float | Size) and not isinstance(value, bool)


def is_none(value: Value) -> bool:
    """Whether a value is `none`: what an input is that a call leaves out."""
    return isinstance(value, Const) and value.value is None


def fraction(value: Size) -> float | None:
    """The number that a size without symbols is, or None where it has symbols."""
    if value.symbols():
        return None
    return sum(c for _, c in value.terms) / value.den


def literal(value: Value) -> Literal | None:
    """A compile-time value as a plain literal (fractions become floats), or None where it is not one (nor `none`)."""
    if isinstance(value, ListValue):
        items = tuple(literal(item) for item in value.items)
        return None if any(item is None for item in items) else items
    if not isinstance(value, Const) or isinstance(value.value, DType):
        return None
    return fraction(value.value) if isinstance(value.value, Size) else value.value


def number_text(value: Scalar) -> str:
    """A compile-time scalar as a program would write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    return value.value if isinstance(value, DType) else str(value)


def is_cell(value: Value) -> bool:
    """Whether a value is a cell, made or named, that `scan` may run."""
    ref = value.ref if isinstance(value, Instance) else value
    return isinstance(ref, LayerRef) and ref.definition.kind == "cell" and ref.scan is None


def describe(value: Value) -> str:
    """A value in a few words, for messages: "f32[B, 3]", "the number 3", "layer `Dense`"."""
    if isinstance(value, TypedValue):
        return str(value.type)
    if isinstance(value, Const):
        return f"{_kind_word(value.value)}{number_text(value.value)}"
    if isinstance(value, ListValue):
        tensors = any(isinstance(item, TypedValue) for item in value.items)
        return f"{len(value.items)} tensors" if tensors else f"a list of {len(value.items)}"
    if isinstance(value, LayerRef) and value.scan is not None:
        return f"a scan of `{value.definition.name.text}`, not applied to anything"
    if isinstance(value, LayerRef):
        return f"the {value.definition.kind} `{value.definition.name.text}`, not applied to anything"
    if isinstance(value, Instance):
        return f"the {'cell' if is_cell(value) else 'layer'} `{value.ref.definition.name.text}`"
    if isinstance(value, Scanned):
        return f"a scan of `{value.instance.ref.definition.name.text}`, not applied to anything"
    if isinstance(value, FunctionRef | LocalFunction):
        return f"the function `{value.name}`"
    if isinstance(value, RecordValue):
        return "a record"
    if isinstance(value, TextColumn):
        return "a column of text"
    return "a group of names" if isinstance(value, Namespace) else "nothing"


def _kind_word(value: Scalar) -> str:
    if isinstance(value, str):
        return "the string "
    if isinstance(value, Size) and value.symbols():
        return "the size "
    return "the number " if is_number(value) else ""
