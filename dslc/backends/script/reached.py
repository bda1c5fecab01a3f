"""Names that generated source reaches -> expressions for them in a script, and the definitions of the runtime behind these.

Generated source is executed with kernels and functions in reach by short names (`dslc_runtime.generated.namespace`). A script has
no such names, so it gives each one to what stands behind it: a function of NumPy, or a definition of the runtime.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, TypeGuard

import numpy as np

from dslc.backends.script.bundle import Name, origin
from dslc_runtime.generated import namespace
from dslc_runtime.kernels import KERNELS


@dataclass(frozen=True, slots=True)
class Reached:
    """What stands behind a short name.

    Attributes:
        expression: Python, in which definitions of the runtime go by their own names.
        needs: these definitions, by their names in the expression.
    """

    expression: str
    needs: Mapping[str, Name]

    def text(self, called: Mapping[Name, str]) -> str:
        """The expression, with the definitions called as they are called in a script."""
        tree = ast.parse(self.expression, mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in self.needs:
                node.id = called[self.needs[node.id]]
        return ast.unparse(tree)


def reached(source: str) -> dict[str, Reached]:
    """What a module of generated source reaches, by the short names."""
    known = namespace()
    tree = ast.parse(source)
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in known})
    return {name: _behind(name, known[name]) for name in names if name != "__builtins__"}


def _behind(name: str, found: Any) -> Reached:
    if isinstance(found, np.dtype):
        return Reached(f"np.dtype({found.name!r})", {})
    if isinstance(found, float):
        return Reached(f"float({str(found)!r})", {})
    own = found.__name__
    owner = getattr(found, "__self__", None)
    if isinstance(owner, np.ufunc):
        return Reached(f"np.{owner.__name__}.{own}", {})
    for module, prefix in ((np, "np."), (builtins, "builtins."), (math, "math.")):
        if getattr(module, own, None) is found:
            return Reached(prefix + own, {})
    if getattr(sys.modules[found.__module__], found.__qualname__, None) is found:
        return Reached(own, {own: (found.__module__, own)})
    return _entry(name)


def _entry(name: str) -> Reached:
    """A function that a table of kernels makes on the spot: the entry of the table, or the table where it is no plain one."""
    kernel, _, form = name.rpartition("_") if name not in KERNELS else (name, "", "")
    attribute = {"": "into", "view": "obvious", "bind": "bind"}[form]
    module, table, entry = _entries()[kernel]
    if entry is None:
        return Reached(f"{table}[{kernel!r}].{attribute}", {table: (module, table)})
    names = {node.id for node in ast.walk(entry) if isinstance(node, ast.Name)}
    return Reached(f"{ast.unparse(entry)}.{attribute}", {read: origin(module, read) for read in names if read != "np"})


@cache
def _entries() -> dict[str, tuple[str, str, ast.expr | None]]:
    """Where each kernel stands: module, table, and the entry as it is written."""
    found: dict[str, tuple[str, str, ast.expr | None]] = {}
    for module, table in _tables():
        written: dict[str, ast.expr] = {}
        for statement in ast.parse(inspect.getsource(import_module(module))).body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Dict):
                pairs = zip(statement.value.keys, statement.value.values, strict=True)
                written |= {key.value: entry for key, entry in pairs if _is_text(key)}
        found |= {kernel: (module, table, written.get(kernel)) for kernel in getattr(import_module(module), table)}
    return found


def _tables() -> Iterator[Name]:
    """The tables that the kernels are the union of."""
    for statement in ast.parse(inspect.getsource(import_module("dslc_runtime.kernels"))).body:
        if isinstance(statement, ast.ImportFrom) and statement.module is not None:
            yield from ((statement.module, alias.name) for alias in statement.names if alias.name.isupper())


def _is_text(key: ast.expr | None) -> TypeGuard[Any]:
    return isinstance(key, ast.Constant) and isinstance(key.value, str)
