"""Names of the runtime -> the text of their definitions and of all that these need, so that it runs without the runtime.

Text is taken as it stands, comments included: what is written out is the code that training runs, not a second version of
it. Definitions come in the order in which modules need each other, and within a module in the order of its file.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TypeAlias

Name: TypeAlias = tuple[str, str]  # a module of the runtime, and a name at its top

_PACKAGE = "dslc_runtime"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Code that stands alone.

    Attributes:
        imports: lines that import from elsewhere, sorted.
        called: what each definition is called in the text.
        text: the definitions.
    """

    imports: tuple[str, ...]
    called: Mapping[Name, str]
    text: str


@dataclass(frozen=True, slots=True)
class _Definition:
    """A statement that defines names at the top of a module.

    Attributes:
        number: its place among the statements of the module.
        lines: its text.
        names: what it defines.
        reads: the names it reads that are not its own variables.
        marks: where names stand that may have to change: (line, column in bytes, name).
    """

    number: int
    lines: tuple[str, ...]
    names: tuple[str, ...]
    reads: frozenset[str]
    marks: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class _Module:
    """A module's definitions by name, and where the other names in it come from.

    Attributes:
        inner: names imported from modules of the runtime.
        outer: names imported from elsewhere, with the line that imports each.
    """

    definitions: Mapping[str, _Definition]
    inner: Mapping[str, Name]
    outer: Mapping[str, str]


@dataclass(slots=True)
class _Gathering:
    """What has been found to be needed: definitions by module, and lines that import."""

    needed: dict[str, dict[_Definition, None]] = field(default_factory=dict[str, dict[_Definition, None]])
    imports: set[str] = field(default_factory=set[str])

    def visit(self, module: str, name: str) -> None:
        """Take a name of a module, and what its definition reads."""
        known = _module(module)
        if name in known.inner:
            self.visit(*known.inner[name])
        elif name in known.outer:
            self.imports.add(known.outer[name])
        elif name in known.definitions:
            definition = known.definitions[name]
            if definition not in self.needed.setdefault(module, {}):
                self.needed[module][definition] = None
                for read in sorted(definition.reads):
                    self.visit(module, read)

    def modules(self) -> list[str]:
        """The modules that something is needed of, each behind those it imports from."""
        order: dict[str, None] = {}

        def place(module: str) -> None:
            if module not in order:
                for other in sorted({other for other, _ in _module(module).inner.values()}):
                    place(other)
                order[module] = None

        for module in sorted(self.needed):
            place(module)
        return [module for module in order if module in self.needed]


def bundle(names: Iterable[Name]) -> Bundle:
    """The definitions of names of the runtime with everything they need.

    Where two modules define one name differently, the later one's gets the module's name in front.
    """
    found = _Gathering()
    for module, name in names:
        found.visit(module, name)
    order = found.modules()
    called = _final_names(found, order)
    parts: dict[str, None] = {}
    for module in order:
        for definition in sorted(found.needed[module], key=lambda definition: definition.number):
            parts[_renamed(module, definition, called)] = None
    return Bundle(tuple(sorted(found.imports)), called, "\n\n\n".join(parts))


def origin(module: str, name: str) -> Name:
    """Where a name that a module of the runtime reads is defined."""
    inner = _module(module).inner
    return origin(*inner[name]) if name in inner else (module, name)


def _final_names(found: _Gathering, order: Iterable[str]) -> dict[Name, str]:
    taken: dict[str, _Definition] = {}
    called: dict[Name, str] = {}
    for module in order:
        for definition in found.needed[module]:
            for name in definition.names:
                same = taken.setdefault(name, definition).lines == definition.lines
                called[module, name] = name if same else f"_{module.split('.')[-1]}_{name.lstrip('_')}"
    return called


def _renamed(module: str, definition: _Definition, called: Mapping[Name, str]) -> str:
    """The text of a definition with the names that things have in the bundle."""
    lines = [line.encode() for line in definition.lines]
    for line, column, name in sorted(definition.marks, reverse=True):
        final = called.get(origin(module, name), name)
        text = lines[line]
        lines[line] = text[:column] + final.encode() + text[column + len(name.encode()) :]
    return b"\n".join(lines).decode()


@cache
def _module(name: str) -> _Module:
    """The definitions and imports at the top of a module."""
    source = inspect.getsource(import_module(name))
    lines = source.splitlines()
    definitions: dict[str, _Definition] = {}
    inner: dict[str, Name] = {}
    outer: dict[str, str] = {}
    for number, statement in enumerate(ast.parse(source).body):
        match statement:
            case ast.Import(names=[alias]):
                outer[alias.asname or alias.name] = ast.unparse(statement)
            case ast.ImportFrom(module=str(origin), names=aliases) if origin.split(".")[0] == _PACKAGE:
                inner |= {alias.asname or alias.name: (origin, alias.name) for alias in aliases}
            case ast.ImportFrom(module=str(origin), names=aliases):
                lone = {alias.asname or alias.name: ast.ImportFrom(origin, [alias], 0) for alias in aliases}
                outer |= {bound: ast.unparse(line) for bound, line in lone.items()}
            case _:
                definition = _definition(number, lines, statement)
                definitions |= dict.fromkeys(definition.names, definition)
    return _Module(definitions, inner, outer)


def _definition(number: int, lines: list[str], statement: ast.stmt) -> _Definition:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    while first and lines[first - 1].startswith("#") and not lines[first - 1].startswith("# --"):
        first -= 1  # the comment right above
    names = _defined(statement)
    found = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    own = {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    own |= {node.id for node in found if not isinstance(node.ctx, ast.Load)} - set(names)
    marks = [(node.lineno - 1 - first, node.col_offset, node.id) for node in found if node.id not in own]
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        column = len("class " if isinstance(statement, ast.ClassDef) else "def ")
        marks.append((statement.lineno - 1 - first, column, statement.name))
    text = tuple(lines[first : statement.end_lineno])
    return _Definition(number, text, names, frozenset(name for _, _, name in marks), tuple(marks))


def _defined(statement: ast.stmt) -> tuple[str, ...]:
    """The names that a statement defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Assign(targets=targets):
            return tuple(node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            return (name,)
        case _:
            return ()
