"""The declarations of a file by name: a syntax tree -> `FileScope`. Reports names that clash or are written wrongly.

Nothing inside the declarations is looked at, except for what train and test blocks read from models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.importing import bring_in, twice
from dslc.check.near import near, proposed, quoted
from dslc.check.values import FileScope
from dslc.check.walk import attributes
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.source import Span
from dslc.syntax import tree

# fmt: off
KEYWORDS = frozenset((
    "model", "block", "cell", "data", "train", "test", "dim", "from", "import", "input", "output", "param", "buffer", "state",
    "next", "update", "layer", "let", "require", "field", "use", "step", "sample", "given", "expect", "if", "then", "else",
    "and", "or", "not", "as", "repeat", "true", "false", "none", "training",
))
# fmt: on
#: What a hyper-parameter can be.
KINDS = ("int", "float", "bool", "string", "fn", "layer", "cell")
_MEANT = {"str": ("string",), "function": ("fn",), "boolean": ("bool",), "f32": ("float",), "i64": ("int",)}


def file_scope(
    file: tree.File, sink: Sink, library: bool = False, homes: Mapping[str, FileScope] | None = None
) -> FileScope:
    """Collect the declarations of a file.

    Args:
        homes: the scopes of the files it imports, by path; what they declare is theirs.
    """
    scope = FileScope(file, library)
    for decl in file.decls:
        if isinstance(decl, tree.FromImport | tree.Import):
            bring_in(scope, decl, homes or {}, sink)
    for decl in file.decls:
        _declare(scope, decl, sink)
    _require_different_names(scope.tests, sink)
    readers = [decl for decl in file.decls if isinstance(decl, tree.TrainDecl | tree.TestDecl)]
    scope.mentioned = attributes(readers)
    return scope


def _declare(scope: FileScope, decl: tree.Decl, sink: Sink) -> None:
    if isinstance(decl, tree.Definition | tree.DataDecl | tree.TrainDecl):
        first = scope.imported_at(decl.name.text)
        if first is not None:
            twice(sink, decl.name, first, "declared")
    if isinstance(decl, tree.DimStmt):
        for ident in decl.names:
            if ident.text in scope.dims:
                defined_twice(sink, ident, scope.dims[ident.text].span, "dimension")
            elif legal_name(sink, ident):
                scope.dims[ident.text] = ident
    elif isinstance(decl, tree.Definition):
        _definition(scope, decl, sink)
    elif isinstance(decl, tree.DataDecl):
        if decl.name.text in scope.datas:
            defined_twice(sink, decl.name, scope.datas[decl.name.text].name.span, "data block")
        else:
            scope.datas[decl.name.text] = decl
    elif isinstance(decl, tree.TrainDecl):
        if decl.name.text in scope.trains:
            defined_twice(sink, decl.name, scope.trains[decl.name.text].name.span, "train block")
        else:
            scope.trains[decl.name.text] = decl
    elif isinstance(decl, tree.TestDecl):
        scope.tests.append(decl)


def _require_different_names(tests: Sequence[tree.TestDecl], sink: Sink) -> None:
    seen: dict[str, Span] = {}
    for test in tests:
        first = seen.setdefault(test.name.value, test.name.span)
        if first is not test.name.span:
            defined_twice(sink, tree.Ident(test.name.value, test.name.span), first, "test")


def _definition(scope: FileScope, decl: tree.Definition, sink: Sink) -> None:
    name = decl.name
    if name.text in scope.definitions:
        defined_twice(sink, name, scope.definitions[name.text].name.span, decl.kind)
        return
    if not legal_name(sink, name):
        return
    if not name.text[0].isupper():
        new = "".join(part[:1].upper() + part[1:] for part in name.text.split("_")) or name.text
        scope.meant[new] = decl
        sink.report(
            "DL1007",
            f"the name of a {decl.kind} starts with a capital letter",
            name.span,
            "lower case",
            footers=[
                Help("capitalise it:", (Edit(name.span, new),)),
                Note("what owns parameters is `Capitalised`, values and functions are `lower_case`"),
            ],
        )
    scope.definitions[name.text] = decl
    for hyper in decl.hypers:
        for ident, _ in hyper.type.alternatives:
            if ident.text not in KINDS:
                _unknown_kind(sink, ident)


def _unknown_kind(sink: Sink, ident: tree.Ident) -> None:
    footers = proposed(near(ident.text, KINDS) or _MEANT.get(ident.text, ()), ident.span)
    footers.append(Note(f"kinds are {quoted(KINDS, 'and')}, and lists of them: `int[]`"))
    sink.report(
        "DL1021", f"there is no kind of hyper-parameter `{ident.text}`", ident.span, "not found", footers=footers
    )


def legal_name(sink: Sink, ident: tree.Ident) -> bool:
    """Whether a name may be given to something new; reports keywords."""
    if ident.text not in KEYWORDS:
        return True
    sink.report(
        "DL1008",
        f"`{ident.text}` is a keyword and cannot name something new",
        ident.span,
        "a keyword",
        footers=[Help("choose another name:", (Edit(ident.span, f"{ident.text}_"),))],
    )
    return False


def defined_twice(sink: Sink, ident: tree.Ident, first: Span, what: str) -> None:
    """Report a second definition of a name."""
    sink.report(
        "DL1006",
        f"the {what} `{ident.text}` is defined twice",
        ident.span,
        "defined again",
        Label(first, "first defined here"),
    )
