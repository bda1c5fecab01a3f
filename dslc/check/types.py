"""Types as written: element types and sizes in the scope of a body, and what the inputs of a block bind.

Input: a `TypeExpr` and a scope. Output: a `TensorType` with the origin of each size. Reports unknown dimensions,
sizes that are not positive whole numbers, and operands that do not fit a block's inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.claims import claimed, may_equal
from dslc.check.expressions import evaluate
from dslc.check.extent import extent_problem, short
from dslc.check.names import DTYPES, dimension_list, dimensions_in_scope, find, undefined
from dslc.check.near import near, proposed, quoted
from dslc.check.ranks import other_rank
from dslc.check.scope import Argument, Context, Leading, Scope, origin_notes
from dslc.check.signatures import accepts, element_types
from dslc.check.typed import Origin, TypedValue
from dslc.check.values import FAILED, Const, Failed, describe, is_none, number_text
from dslc.check.walk import names
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops.ir import Attrs
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Dim, DType, Size, SizeError, TensorType

_KINDS = {"float": DType.F32, "int": DType.I64}
#: What other libraries write for a size that is not fixed.
_NO_SIZE = frozenset({"None", "null", "Any"})


@record
class Written:
    """A type as written, worked out."""

    type: TensorType
    origins: tuple[Origin | None, ...]


def tensor_type(e: Context, scope: Scope, expr: tree.TypeExpr) -> TensorType | None:
    """The type an annotation means, or None after a report."""
    found = written_type(e, scope, expr)
    return None if found is None else found.type


def written_type(e: Context, scope: Scope, expr: tree.TypeExpr, what: str = "") -> Written | None:
    """The type an annotation means with the origins of its sizes; `what` names the thing typed ("input `x`")."""
    dtype = _dtype(e, scope, expr.dtype)
    shape: list[Dim] = []
    origins: list[Origin | None] = []
    fine = dtype is not None
    for position, dim in enumerate(expr.dims):
        if isinstance(dim, tree.Ellipsis_):
            if not _leading(e, scope, dim, position):
                fine = False
            elif scope.leading is not None:
                shape += scope.leading.shape
                origins += scope.leading.origins
            continue
        size = size_of(e, scope, dim, what or f"the type `{expr.span.text}`")
        if size is None:
            fine = False
            continue
        shape.append(size[0])
        origins.append(size[1])
    if not fine or dtype is None:
        return None
    found = Written(TensorType(dtype, tuple(shape)), tuple(origins))
    return found if _within_limits(e, found, expr.span, what or "this type") else None


def _within_limits(e: Context, found: Written, span: Span, what: str) -> bool:
    """Whether a written type is not too large; reports it otherwise."""
    try:
        problem = extent_problem(found.type, what)
    except SizeError as error:
        problem = "DL0072", str(error)
    if problem is not None:
        code, text = problem
        large = zip(found.type.shape, found.origins, strict=True) if code == "DL2020" else ()
        e.report(code, text, span, f"is {short(found.type)}", footers=origin_notes(e, large, span))
    return problem is None


def _dtype(e: Context, scope: Scope, ident: tree.Ident) -> DType | None:
    if ident.text in DTYPES:
        return DTYPES[ident.text]
    if ident.text in _KINDS:
        return scope.dtypes.get(ident.text, _KINDS[ident.text])
    known = [*DTYPES, *_KINDS]
    close = near(ident.text, known)
    aliases = {"float32": "f32", "float64": "f64", "float16": "f16", "int32": "i32", "int64": "i64", "double": "f64"}
    close = (aliases[ident.text],) if ident.text in aliases else close
    footers = proposed(close, ident.span)
    footers.append(Note(f"element types are {quoted(known, 'and')}"))
    e.report("DL1021", f"there is no element type `{ident.text}`", ident.span, "not found", footers=footers)
    return None


def _leading(e: Context, scope: Scope, dim: tree.Ellipsis_, position: int) -> bool:
    if position:
        e.report("DL2012", "`...` stands for leading sizes: it comes first", dim.span, "not first")
        return False
    if scope.leading is None:
        e.report(
            "DL2012", "`...` needs an input of a block that says what it stands for", dim.span, "stands for nothing"
        )
        return False
    return True


def size_of(e: Context, scope: Scope, expr: tree.Expr, what: str) -> tuple[Dim, Origin | None] | None:
    """A size and where it came from, or None after a report."""
    if unknown_dimension(e, scope, expr):
        return None
    value = evaluate(e, scope, expr)
    if isinstance(value, Failed):
        return None
    scalar = value.value if isinstance(value, Const) else None
    if isinstance(scalar, bool) or not isinstance(scalar, int | float | Size):
        e.report("DL2004", f"a size is a whole number, not {describe(value)}", expr.span, "not a size")
        return None
    if isinstance(scalar, float) or (isinstance(scalar, Size) and not scalar.symbols()):
        footers: list[Note | Help] = []
        if isinstance(expr, tree.Binary) and expr.op == "/":
            new = f"floor_div({expr.left.span.text}, {expr.right.span.text})"
            footers.append(Help("round down, or up with `ceil_div`:", (Edit(expr.span, new),)))
        text = f"a size is a whole number, and this is {number_text(scalar)}"
        e.report("DL2009", text, expr.span, "not a whole number", footers=footers)
        return None
    origin = value.origin if isinstance(value, Const) else None
    if isinstance(scalar, int) and scalar <= 0:
        notes = origin_notes(e, [(scalar, origin)], expr.span)
        label = f"this is {scalar}" if isinstance(expr, tree.Number) else f"`{expr.span.text}` is {scalar}"
        e.report("DL2007", f"a size must be positive, got {scalar}", expr.span, label, footers=notes)
        return None
    return scalar, origin or Origin(what, expr.span)


def unknown_dimension(e: Context, scope: Scope, expr: tree.Expr) -> bool:
    """Whether a size names something that does not exist; reports it."""
    for name in names(expr):
        if name.id in scope.unbound:
            never_bound(e, scope, name.id)
            return True
        if name.id in scope.absent:
            undefined(e, scope, name.id, name.span)
            return True
        if find(scope, name.id) or name.id in scope.partial:
            continue
        found, place = dimensions_in_scope(scope)
        visible = [known for known, binding in scope.names.items() if binding.kind in ("hyper", "let")]
        close = near(name.id, [*found, *visible])
        footers = proposed(close, name.span)
        if name.id in _NO_SIZE:
            edits = (Edit(name.span, found[0]),) if len(found) == 1 else ()
            footers = [Help("a size that each batch brings has a name" + ":" * bool(edits), edits)]
        else:
            declared = ", ".join([*found, name.id])
            footers.append(Help(f"{'or ' if close else ''}declare a new one: dim {declared}"))
        more = [] if place is None or place.source is not name.span.source else [Label(place, dimension_list(found))]
        e.report("DL1020", f"dimension `{name.id}` is not declared", name.span, "not found", *more, footers=footers)
        return True
    return False


def never_bound(e: Context, scope: Scope, name: str) -> None:
    """Report a dimension of a block that stands alone in no input's type, and silence its uses."""
    body = scope.definition.body if scope.definition is not None else ()
    idents = [ident for stmt in body if isinstance(stmt, tree.DimStmt) for ident in stmt.names]
    place = next(ident.span for ident in idents if ident.text == name)
    e.report(
        "DL1023",
        f"no input says what dimension `{name}` is",
        place,
        "never bound",
        footers=[Help(f"name it alone in an input's type: `input x: f32[..., {name}]`")],
    )
    scope.unbound.discard(name)
    scope.define(name, FAILED, place, "failed")


# ---------------------------------------------------------------------------------------------- binding


def declare_inputs(e: Context, scope: Scope, inputs: Sequence[tree.InputStmt]) -> bool:
    """Make the inputs of a model that stands alone: its dimensions are run-time sizes."""
    fine = True
    for stmt in inputs:
        found = written_type(e, scope, stmt.type, f"input `{stmt.name.text}`")
        if found is None:
            scope.define(stmt.name.text, FAILED, stmt.name.span, "failed")
            fine = False
            continue
        origins = tuple(Origin(f"input `{stmt.name.text}`", stmt.span) for _ in found.origins)
        key = stmt.name.text
        value = TypedValue(found.type, "input", (), Attrs({"name": key}), stmt.name.span, key, origins)
        e.body.values.append(value)
        e.body.inputs[key] = value
        e.declarations[key] = stmt
        e.publish(scope.key(key), value)
        scope.define(key, value, stmt.name.span, "input")
    return fine


def bind_inputs(e: Context, scope: Scope, inputs: Sequence[tree.InputStmt], args: Sequence[Argument]) -> bool:
    """Bind a block's inputs to operands, and its dimensions, `...`, `float` and `int` with them."""
    pairs: list[tuple[tree.InputStmt, Argument]] = []
    for stmt, arg in zip(inputs, args, strict=True):
        if stmt.default is not None and is_none(arg.value):
            scope.define(stmt.name.text, arg.value, stmt.name.span, "input")
        else:
            pairs.append((stmt, arg))
    for stmt, arg in pairs:
        if not isinstance(arg.value, TypedValue):
            return not _not_a_tensor(e, scope, stmt, arg)
        if not _bind(e, scope, stmt, arg, arg.value):
            return False
    for stmt, arg in pairs:
        assert isinstance(arg.value, TypedValue)
        value = _fitted(e, scope, stmt, arg, arg.value)
        if value is None:
            return False
        scope.define(stmt.name.text, value, stmt.name.span, "input")
        e.publish(scope.key(stmt.name.text), value)
    _without_sizes(scope, inputs)
    return True


def _without_sizes(scope: Scope, inputs: Sequence[tree.InputStmt]) -> None:
    """Note the dimensions that only inputs which are left out would have bound."""
    for stmt in inputs:
        if is_none(scope.names[stmt.name.text].value):
            alone = {dim.id for dim in stmt.type.dims if isinstance(dim, tree.Name)}
            scope.absent |= dict.fromkeys(alone & scope.unbound, stmt.name)
    scope.unbound -= scope.absent.keys()


def _not_a_tensor(e: Context, scope: Scope, stmt: tree.InputStmt, arg: Argument) -> bool:
    if not isinstance(arg.value, Failed):
        text = f"input `{stmt.name.text}` of `{_title(scope)}` needs a tensor, not {describe(arg.value)}"
        e.report_call("DL2015", text, arg.span, "not a tensor")
    return True


def _title(scope: Scope) -> str:
    return scope.definition.name.text if scope.definition is not None else ""


def _bind(e: Context, scope: Scope, stmt: tree.InputStmt, arg: Argument, value: TypedValue) -> bool:
    """Bind what stands alone in the input's type: `float`, `...` and bare dimensions."""
    kind = stmt.type.dtype.text
    if kind in _KINDS and kind not in scope.dtypes and value.type.dtype.is_float == (kind == "float"):
        scope.dtypes[kind] = value.type.dtype
    dims = stmt.type.dims
    open_start = bool(dims) and isinstance(dims[0], tree.Ellipsis_)
    fixed = dims[1:] if open_start else dims
    extra = value.type.rank - len(fixed)
    if extra < 0 or (extra and not open_start):
        _wrong_input(
            e,
            scope,
            stmt,
            arg,
            value,
            f"has {_axes(value.type.rank)}, not {_axes(len(fixed))}{' or more' * open_start}",
        )
        return False
    if open_start and scope.leading is None:
        scope.leading = Leading(value.type.shape[:extra], value.origins[:extra])
    for dim, size, origin in zip(fixed, value.type.shape[extra:], value.origins[extra:], strict=True):
        if (
            isinstance(dim, tree.Name)
            and dim.id not in scope.names
            and (dim.id in scope.unbound or dim.id in scope.file.dims)
        ):
            scope.unbound.discard(dim.id)
            scope.define(dim.id, Const(size, origin), dim.span, "dim")
    return True


def _axes(rank: int) -> str:
    return "no axes" if rank == 0 else "one axis" if rank == 1 else f"{rank} axes"


def _fitted(e: Context, scope: Scope, stmt: tree.InputStmt, arg: Argument, value: TypedValue) -> TypedValue | None:
    """An operand with the type of its input; None after a report."""
    wanted = written_type(e, scope, stmt.type, f"input `{stmt.name.text}` of `{_title(scope)}`")
    if wanted is None:
        return None
    if value.type.dtype is not wanted.type.dtype:
        _wrong_dtype(e, scope, stmt, arg, value, wanted.type)
        return None
    if value.type != wanted.type and may_equal(value.type, wanted.type):
        text = f"input `{stmt.name.text}` of `{_title(scope)}` is {wanted.type}, and this is {value.type}"
        return claimed(e, value, wanted.type.shape, wanted.origins, text, arg.span)
    for axis, (have, want) in enumerate(zip(value.type.shape, wanted.type.shape, strict=True)):
        if have != want:
            label = f"axis {axis} has size {have}, not {want}"
            sizes = [(have, value.origins[axis]), (want, wanted.origins[axis])]
            _wrong_input(e, scope, stmt, arg, value, label, sizes)
            return None
    return value


def _wrong_input(
    e: Context,
    scope: Scope,
    stmt: tree.InputStmt,
    arg: Argument,
    value: TypedValue,
    label: str,
    sizes: Sequence[tuple[Dim, Origin | None]] = (),
) -> None:
    text = " ".join(stmt.type.span.text.split())
    this = "one step of this" if scope.definition is not None and scope.definition.kind == "cell" else "this"
    e.report_call(
        "DL2011",
        f"input `{stmt.name.text}` of `{_title(scope)}` is {text}, and {this} is {value.type}",
        arg.span,
        label,
        Label(stmt.type.span, "wanted here"),
        footers=[*origin_notes(e, sizes, arg.span), *other_rank(e, scope, stmt, arg, value)],
    )


def _wrong_dtype(
    e: Context, scope: Scope, stmt: tree.InputStmt, arg: Argument, value: TypedValue, wanted: TensorType
) -> None:
    name = _title(scope)
    ids = wanted.dtype.is_integer and value.type.dtype.is_float and stmt.default is None
    needs = element_types(stmt.type.dtype.text, wanted.dtype)
    taker = f"`{name}`" if stmt.default is None else f"input `{stmt.name.text}` of `{name}`"
    holds = f"`{value.name}` holds" if value.name else "this holds"
    footers: list[Note | Help] = []
    more: list[Label] = []
    declared = e.declarations.get(value.name) if value.op == "input" else None
    if declared is not None:
        word = declared.type.dtype
        more.append(Label(word.span, f"declared {word.text} here"))
        text = "declare the ids as integers:" if ids else f"declare it {wanted.dtype.value}:"
        footers.append(Help(text, (Edit(word.span, "i64" if ids else wanted.dtype.value),)))
    elif wanted.dtype.is_float and not arg.piped:
        footers.append(Help("convert it:", (Edit(arg.span, f"cast({arg.span.text}, {wanted.dtype.value})"),)))
    elif wanted.dtype.is_float:
        footers.append(Help(f"convert it before: `|> cast({wanted.dtype.value})`"))
    footers.append(accepts(e, scope, stmt, value.type.dtype))
    e.report_call(
        "DL2010" if ids else "DL2003",
        f"{taker} {'looks up integer ids' if ids else f'takes {needs}'}, but {holds} {value.type.dtype.value} values",
        e.calls[-1].span,
        f"needs {needs}",
        *more,
        footers=footers,
    )
