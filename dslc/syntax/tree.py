"""The syntax tree: what was written, with spans; nothing is resolved or checked here.

Every node has a `span`. Children are tuples. An `Ident` is a name with the place it stands at.
"""

from __future__ import annotations

from typing import TypeAlias

from dslc.record import record
from dslc.source import Source, Span


@record
class Ident:
    """A name where it was written."""

    text: str
    span: Span


# ---------------------------------------------------------------------------------------------- expressions


@record
class Number:
    value: int | float
    span: Span


@record
class String:
    """`value` is the text without quotes and with escapes resolved."""

    value: str
    span: Span


@record
class Constant:
    """`true`, `false`, `none`."""

    value: bool | None
    span: Span


@record
class Quantity:
    """A number with a unit: `200 steps`."""

    number: Number
    unit: Ident
    span: Span


@record
class Name:
    id: str
    span: Span


@record
class List:
    items: tuple[Expr, ...]
    span: Span


@record
class Entry:
    """One `key: value` of a record."""

    key: Ident
    value: Expr
    span: Span


@record
class Record:
    entries: tuple[Entry, ...]
    span: Span


@record
class Unary:
    """`-x`, `not x`."""

    op: str
    operand: Expr
    span: Span


@record
class Binary:
    """`+ - * / % ** @ == != < <= > >= and or`; `op_span` covers the operator alone."""

    op: str
    left: Expr
    right: Expr
    op_span: Span
    span: Span


@record
class Attribute:
    """`value.name`."""

    value: Expr
    name: Ident
    span: Span


@record
class Slice:
    """`start:stop:step`; each part may be missing."""

    start: Expr | None
    stop: Expr | None
    step: Expr | None
    span: Span


@record
class Ellipsis_:
    """`...` in an index or a shape."""

    span: Span


@record
class Index:
    """`value[items]`; the span of the brackets is `items_span`."""

    value: Expr
    items: tuple[Expr | Slice | Ellipsis_, ...]
    items_span: Span
    span: Span


@record
class Arg:
    """An argument of a call, positional when `name` is None."""

    name: Ident | None
    value: Expr
    span: Span


@record
class Call:
    callee: Expr
    args: tuple[Arg, ...]
    span: Span


@record
class IfExpr:
    """`if cond then a else b`, chosen at compile time."""

    cond: Expr
    then: Expr
    orelse: Expr
    span: Span


@record
class Repeat:
    """`repeat(count) as var { stages }`; only as the body of a stage."""

    count: Expr
    var: Ident | None
    stages: tuple[Stage, ...]
    span: Span


@record
class Stage:
    """One stage of a pipe: `label: body`."""

    label: Ident | None
    body: Expr | Repeat
    span: Span


@record
class Pipe:
    """`head |> stage |> stage`."""

    head: Expr
    stages: tuple[Stage, ...]
    span: Span


Expr: TypeAlias = (
    Number
    | String
    | Constant
    | Quantity
    | Name
    | List
    | Record
    | Unary
    | Binary
    | Attribute
    | Index
    | Call
    | IfExpr
    | Pipe
)

# ---------------------------------------------------------------------------------------------- types


@record
class TypeExpr:
    """`f32[B, 3]`: an element type (or `float`, `int`) and sizes."""

    dtype: Ident
    dims: tuple[Expr | Ellipsis_, ...]
    span: Span


@record
class HyperType:
    """`int[] | string`: alternatives, each a name and whether it is a list."""

    alternatives: tuple[tuple[Ident, bool], ...]
    span: Span


@record
class Hyper:
    """A hyper-parameter in the head of a model, block or cell."""

    name: Ident
    type: HyperType
    default: Expr | None
    span: Span


# ---------------------------------------------------------------------------------------------- statements


@record
class DimStmt:
    """`dim B, T`, in a file or in a block."""

    names: tuple[Ident, ...]
    span: Span


@record
class InputStmt:
    """`input name: type`, or `input name: type = none` where a call may leave it out."""

    name: Ident
    type: TypeExpr
    default: Expr | None
    span: Span


@record
class OutputStmt:
    name: Ident
    type: TypeExpr
    value: Expr | None
    span: Span


@record
class ParamStmt:
    """`param name: type = init as key`."""

    name: Ident
    type: TypeExpr
    init: Expr | None
    key: Ident | None
    span: Span


@record
class BufferStmt:
    """`buffer name: type = init as key`."""

    name: Ident
    type: TypeExpr
    init: Expr | None
    key: Ident | None
    span: Span


@record
class StateStmt:
    name: Ident
    type: TypeExpr
    init: Expr | None
    span: Span


@record
class NextStmt:
    name: Ident
    value: Expr
    span: Span


@record
class UpdateStmt:
    """`update buffer = value` in a block; `update d, g` (no value) in a training step."""

    names: tuple[Ident, ...]
    value: Expr | None
    span: Span


@record
class LayerStmt:
    name: Ident
    value: Expr
    span: Span


@record
class LetStmt:
    name: Ident
    value: Expr
    span: Span


@record
class RequireStmt:
    cond: Expr
    message: String | None
    span: Span


@record
class AssignStmt:
    """`name = value`, `name: type = value`, `a, b = value`; in data, train and test blocks also a setting."""

    targets: tuple[Ident, ...]
    type: TypeExpr | None
    value: Expr
    span: Span


@record
class IfStmt:
    """`if cond { then } else { orelse }`; `else if` is an `IfStmt` alone in `orelse`."""

    cond: Expr
    then: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...]
    span: Span


@record
class FieldStmt:
    """`field name: type = value` of a data block."""

    name: Ident
    type: TypeExpr
    value: Expr
    span: Span


@record
class UseStmt:
    name: Ident
    value: Expr
    span: Span


@record
class StepStmt:
    """`step name { ... }` of a train block."""

    name: Ident
    body: tuple[Stmt, ...]
    span: Span


@record
class SampleStmt:
    """`sample z: type ~ distribution`."""

    name: Ident
    type: TypeExpr
    value: Expr
    span: Span


@record
class CallStmt:
    """A call as a statement: `early_stop(...)`."""

    call: Call
    span: Span


@record
class TrainRef:
    """`train name` in a test."""

    name: Ident
    span: Span


@record
class GivenStmt:
    name: Ident
    value: Expr
    span: Span


@record
class ExpectStmt:
    """`expect left op right within tolerance`; `op` is one of `== != < <= > >= ~=`."""

    left: Expr
    op: str
    right: Expr
    within: Expr | None
    op_span: Span
    span: Span


@record
class ExpectErrorStmt:
    """`expect error DL2007`."""

    code: Ident
    span: Span


Stmt: TypeAlias = (
    DimStmt
    | InputStmt
    | OutputStmt
    | ParamStmt
    | BufferStmt
    | StateStmt
    | NextStmt
    | UpdateStmt
    | LayerStmt
    | LetStmt
    | RequireStmt
    | AssignStmt
    | IfStmt
    | FieldStmt
    | UseStmt
    | StepStmt
    | SampleStmt
    | CallStmt
    | TrainRef
    | GivenStmt
    | ExpectStmt
    | ExpectErrorStmt
)

# ---------------------------------------------------------------------------------------------- declarations


@record
class Definition:
    """A model, a block or a cell. `head` spans from the keyword to the end of the hyper-parameters."""

    kind: str  # "model", "block" or "cell"
    name: Ident
    hypers: tuple[Hyper, ...]
    body: tuple[Stmt, ...]
    doc: str
    head: Span
    span: Span


@record
class DataDecl:
    name: Ident
    body: tuple[Stmt, ...]
    doc: str
    span: Span


@record
class TrainDecl:
    name: Ident
    body: tuple[Stmt, ...]
    doc: str
    span: Span


@record
class TestDecl:
    name: String
    body: tuple[Stmt, ...]
    doc: str
    span: Span


@record
class FromImport:
    """`from "path" import A, B`."""

    path: String
    names: tuple[Ident, ...]
    span: Span


@record
class Import:
    """`import "path" as name`."""

    path: String
    name: Ident
    span: Span


Decl: TypeAlias = DimStmt | Definition | DataDecl | TrainDecl | TestDecl | FromImport | Import


@record
class File:
    """A whole source file."""

    source: Source
    decls: tuple[Decl, ...]
