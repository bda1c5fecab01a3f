"""What a name means: in the scope, in the file, in the library; and good messages where it means nothing.

Looks names up; evaluates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.calls import function_names, is_function
from dslc.check.foreign import difference, function_meant, is_prefix, layer_meant
from dslc.check.library import LAYERS, library_layer
from dslc.check.near import near, proposed
from dslc.check.scope import Context, Scope
from dslc.check.size_first import size_to_leave_out
from dslc.check.typed import Origin
from dslc.check.values import FAILED, Const, Failed, FileScope, FunctionRef, LocalFunction, Namespace, Value
from dslc.check.walk import defined, names
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import DType, symbol

DTYPES = {dtype.value: dtype for dtype in DType}


def find(scope: Scope, name: str) -> bool:
    """Whether a name means anything in an expression here."""
    file = scope.file
    known = name in scope.names or name in file.dims or name in file.modules or name in file.lost
    return known or name == "training" or name in DTYPES or is_function(name)


def definition(scope: Scope, name: str) -> tuple[FileScope, tree.Definition] | None:
    """The model or block a name stands for, the file's and what it imports before the library's."""
    return None if name in scope.file.lost else scope.file.definition(name) or library_layer(name)


def module_definition(scope: Scope, expr: tree.Attribute) -> tuple[FileScope, tree.Definition] | None:
    """The model or block that ``nets.MLP`` stands for, where `nets` is an imported file that declares it."""
    if not isinstance(expr.value, tree.Name) or expr.value.id in scope.names:
        return None
    module = scope.file.modules.get(expr.value.id)
    if module is None or expr.name.text not in module.home.definitions:
        return None
    return module.home, module.home.definitions[expr.name.text]


def lookup(e: Context, scope: Scope, name: str, span: Span) -> Value:
    """The value of a name in an expression."""
    binding = scope.names.get(name)
    if binding is not None:
        binding.used = True
        return binding.value
    if name in scope.file.dims:
        return Const(symbol(name), Origin(f"`dim {name}`", scope.file.dims[name].span))
    if name == "training":
        e.mode_read = True
        return Const(e.training, by_mode=True)
    if name in DTYPES:
        return Const(DTYPES[name])
    if name in scope.file.modules:
        return _module(e, scope.file.modules[name].home)
    if is_function(name):
        return FunctionRef(name)
    return undefined(e, scope, name, span)


def _module(e: Context, home: FileScope) -> Namespace:
    """An imported file as a value: its layers can be named, and made where they are called."""

    def read(name: str, span: Span) -> Value:
        found = home.definitions.get(name)
        if found is not None:
            return needs_call(e, found, span)
        return e.report("DL1084", f"{home.source.name} declares no layer `{name}`", span, "not found")

    return Namespace(f"the file {home.source.name}", tuple(home.definitions), read)


def undefined(e: Context, scope: Scope, name: str, span: Span) -> Failed:
    """Report a name that means nothing here: unknown, defined further down, or part of a cycle."""
    if name in scope.file.lost:
        return FAILED
    if name in scope.absent:
        return _size_left_out(e, name, scope.absent[name], span)
    if name in scope.later:
        return _too_early(e, scope, name, span)
    if name in scope.partial:
        return e.report(
            "DL1002",
            f"`{name}` is not defined in every branch of the `if`",
            span,
            "not visible here",
            Label(scope.partial[name], "defined in one branch only"),
            footers=[
                Note("a name is visible after an `if` when all its branches define it"),
                Help(f"define it in both: `if ... {{ {name} = ... }} else {{ {name} = ... }}`"),
            ],
        )
    made = definition(scope, name)
    if made is not None:
        return needs_call(e, made[1], span)
    if name in scope.labels:
        return e.report(
            "DL1001",
            f"`{name}` is the label of a stage, not a value",
            span,
            "not a value",
            Label(scope.labels[name], "a label"),
            footers=[Help(f"to use a layer by name declare it before: `layer {name} = ...`")],
        )
    if name[:1].isupper() and name not in scope.names:
        return unknown_layer(e, scope, name, span) if near(name, _layers(scope)) else _unknown(e, scope, name, span)
    return _unknown(e, scope, name, span)


def _size_left_out(e: Context, name: str, without: tree.Ident, span: Span) -> Failed:
    return e.report(
        "DL2152",
        f"`{name}` is a size of the input `{without.text}`, which this call leaves out",
        span,
        "not known here",
        Label(without.span, "may be left out"),
        footers=[Help(f"use it where the input is there: `if {without.text} != none {{ ... }}`")],
    )


def _unknown(e: Context, scope: Scope, name: str, span: Span) -> Failed:
    visible = [known for known, binding in scope.names.items() if not isinstance(binding.value, Failed)]
    close = near(name, [*visible, *scope.file.dims, *function_names()])
    footers: list[Note | Help] = []
    if is_prefix(name) and span.source.text[span.end : span.end + 1] == ".":
        dotted = Span(span.source, span.start, span.end + 1)
        footers.append(Help(f"layers, functions and parameters are named without `{name}.`:", (Edit(dotted, ""),)))
    elif name in scope.file.datas and "data" in visible and span.source.text.startswith(".", span.end):
        footers.append(
            Help("a train block reads the fields of its data block by the name `data`:", (Edit(span, "data"),))
        )
    elif close:
        footers += proposed(close, span)
    elif visible:
        footers.append(Note(f"names in scope: {', '.join(visible[:15])}"))
    return e.report("DL1001", f"there is no `{name}` here", span, "not found", footers=footers)


def needs_call(e: Context, made: tree.Definition, span: Span) -> Failed:
    """Report a layer named without being made: ``|> BatchNorm``."""
    name = made.name.text
    required = [hyper.name.text for hyper in made.hypers if hyper.default is None]
    new = f"{name}({', '.join(required)})"
    return e.report(
        "DL1015",
        f"`{name}` is a {made.kind}: make one with `{name}(...)`",
        span,
        "needs its arguments in `( )`",
        footers=[
            Help("write, with your own values:" if required else "write", (Edit(span, new),), applicable=not required)
        ],
    )


def _layers(scope: Scope) -> list[str]:
    file = scope.file
    return [*file.definitions, *(name for name in file.imported if file.definition(name)), *LAYERS]


def _imports(file: FileScope) -> str:
    names = [*file.imported, *(f"{name}.*" for name in file.modules)]
    return f"imported in this file: {', '.join(names) if names else 'nothing'}"


def unknown_layer(e: Context, scope: Scope, name: str, span: Span) -> Failed:
    """Report a capitalised name that is no layer, or none that this version has."""
    if name in scope.file.lost:
        return FAILED
    function = [name.lower()] if is_function(name.lower()) else []
    close = function or near(name, _layers(scope))
    footers: list[Note | Help] = []
    translated = _translated(name, layer_meant(name) or function_meant(name), span)
    if translated is not None and not function:
        footers.append(translated)
    elif close:
        footers += proposed(close, span)
    footers.append(Note(f"{_imports(scope.file)}. `dslc doc` lists all layers"))
    return e.report(
        "DL1003",
        f"there is no layer named `{name}`",
        span,
        "not a built-in layer, and no block or cell here has this name",
        footers=footers,
    )


def _translated(name: str, meant: str, span: Span) -> Help | None:
    """A help for another library's name; a rename alone is no mend where what it means acts otherwise and takes arguments."""
    otherwise = difference(name)
    if otherwise and not (meant and span.source.text.startswith("()", span.end)):
        return Help(otherwise)
    if not meant:
        return None
    size = size_to_leave_out(name, span)
    told = ", and is not given the size of its input" if size else ""
    return Help(f"what other libraries call `{name}` is `{meant}` here{told}:", (Edit(span, meant), *size))


def unknown_function(e: Context, scope: Scope, name: str, span: Span) -> Failed:
    """Report a lower-case name in front of `(` that is no function."""
    if name in scope.file.lost:
        return FAILED
    if name in scope.later or name in scope.partial or name in scope.labels:
        return undefined(e, scope, name, span)
    layers = near(name, _layers(scope))
    callable_names = [
        known
        for known, binding in scope.names.items()
        if binding.kind == "layer" or isinstance(binding.value, LocalFunction)
    ]
    close = [found for found in near(name, [*function_names(), *callable_names]) if found != name]
    exact = [layer for layer in layers if layer.lower() == name.lower()]
    if exact:
        close = exact
    footers: list[Note | Help] = []
    translated = _translated(name, function_meant(name) or layer_meant(name), span)
    if translated is not None and not exact:
        footers.append(translated)
    elif close:
        footers += proposed(close, span)
    else:
        footers.append(Note("`dslc doc` lists all functions"))
    return e.report("DL1004", f"there is no function named `{name}`", span, "not found", footers=footers)


# ---------------------------------------------------------------------------------------------- order


def _too_early(e: Context, scope: Scope, name: str, span: Span) -> Failed:
    """A name that a statement further down defines: a cycle, or only the wrong order."""
    current = scope.statement.name if scope.statement is not None else ""
    path = _path(scope, name, current) if current in scope.later or current == name else None
    if path is not None:
        return _cycle(e, scope, [current, *path] if path and path[0] != current else [current], span)
    statement = scope.later[name]
    place = next(ident.span for ident in defined(statement) if ident.text == name)
    return e.report(
        "DL1002",
        f"`{name}` is used before it is defined",
        span,
        "not defined yet",
        Label(place, "defined here"),
        footers=[Help(f"move line {place.line} above line {span.line}")],
    )


def _path(scope: Scope, start: str, goal: str) -> list[str] | None:
    """Names from `start` to the one whose definition needs `goal`, or None where it is never needed."""
    if start == goal:
        return [goal]
    before: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        for found in names(scope.later[name]):
            if found.id == goal:
                return _trace(before, start, name)
            if found.id in scope.later and found.id not in before and found.id != start:
                before[found.id] = name
                waiting.append(found.id)
    return None


def _trace(before: dict[str, str], start: str, name: str) -> list[str]:
    path = [name]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]


def _cycle(e: Context, scope: Scope, path: Sequence[str], span: Span) -> Failed:
    first = path[0]
    following = [*path[1:], first]
    idents = {ident.text: ident for stmt in scope.later.values() for ident in defined(stmt) if ident.text in path}
    labels: list[Label] = []
    for number, (name, needed) in enumerate(zip(path, following, strict=True), start=1):
        closes = ", which closes the cycle" if number == len(path) and len(path) > 1 else ""
        text = f"{number}. `{name}` needs `{needed}`{closes}" if len(path) > 1 else "needs its own value"
        labels.append(Label(idents[name].span, text))
    primary, rest = labels[0], labels[1:]
    result = e.report(
        "DL1030",
        f"`{first}` is defined in terms of itself",
        primary.span,
        primary.text,
        Label(span),
        *rest,
        footers=[
            Note("definitions form a graph without cycles; a value may only use names defined above it"),
            Help(
                "for recurrence over time put this in a `cell` and read the previous step from `state`:",
                code=(
                    f"cell Rec(units: int) {{ state {path[-1]}: f32[B, units] = zeros() ... next {path[-1]} = ... }}",
                    "y = x |> scan(Rec(64))",
                ),
            ),
        ],
    )
    for name in path:
        if name not in scope.names:
            scope.define(name, FAILED, idents[name].span, "failed")
    return result


def dimensions_in_scope(scope: Scope) -> tuple[list[str], Span | None]:
    """The dimensions a type may name here, and the place where the last of them are declared."""
    own = [s for s in (scope.definition.body if scope.definition is not None else ()) if isinstance(s, tree.DimStmt)]
    file = [decl for decl in scope.file.file.decls if isinstance(decl, tree.DimStmt)]
    statements = [*file, *own]
    found = list(dict.fromkeys(ident.text for statement in statements for ident in statement.names))
    if not statements:
        return found, None
    last = statements[-1].names
    return found, last[0].span.to(last[-1].span)


def dimension_list(found: Sequence[str]) -> str:
    """Dimensions for a label: "dimensions in scope: B, T"."""
    return f"dimensions in scope: {', '.join(found)}" if found else "no dimensions are declared"
