"""Blocks that nothing uses: their names are checked, though their sizes are not known.

Input: a definition that was never elaborated. Output: reports of names, layers, functions and dimensions that do not exist.
Types and shapes are checked where a block is used.
"""

from __future__ import annotations

from dslc.check.calls import is_function
from dslc.check.names import definition as find_definition
from dslc.check.names import find, undefined, unknown_function, unknown_layer
from dslc.check.scope import Context, Scope
from dslc.check.types import unknown_dimension
from dslc.check.values import FAILED, FileScope
from dslc.check.walk import defined, names, walk
from dslc.ops.initializers import INITIALIZERS
from dslc.syntax import tree


def check_names(e: Context, file: FileScope, definition: tree.Definition) -> None:
    """Report the names in a definition that mean nothing, wherever they stand."""
    scope = Scope(file, definition)
    for hyper in definition.hypers:
        scope.define(hyper.name.text, FAILED, hyper.name.span)
    for stmt in definition.body:
        for node in walk(stmt):
            _define(scope, node)
    for stmt in definition.body:
        called = {id(node.callee) for node in walk(stmt) if isinstance(node, tree.Call)}
        called |= {id(node.body) for node in walk(stmt) if isinstance(node, tree.Stage)}
        types = [node for node in walk(stmt) if isinstance(node, tree.TypeExpr)]
        sizes = [dim for type_ in types for dim in type_.dims if not isinstance(dim, tree.Ellipsis_)]
        in_sizes = {id(name) for size in sizes for name in names(size)}
        for size in sizes:
            unknown_dimension(e, scope, size)
        for node in walk(stmt):
            if isinstance(node, tree.Attribute):
                _check_module(e, scope, node)
        for name in names(stmt):
            if id(name) not in in_sizes:
                _check(e, scope, name, id(name) in called)


def _check_module(e: Context, scope: Scope, node: tree.Attribute) -> None:
    """Report ``nets.MPL`` where the imported file `nets` declares no such layer."""
    module = scope.file.modules.get(node.value.id) if isinstance(node.value, tree.Name) else None
    if module is not None and node.name.text not in module.home.definitions:
        e.evaluate(e, scope, node)


def _define(scope: Scope, node: object) -> None:
    """Bind what a statement defines, in whatever branch it stands."""
    idents: tuple[tree.Ident, ...] = ()
    if isinstance(node, tree.DimStmt):
        idents = node.names
    elif isinstance(node, tree.OutputStmt | tree.InputStmt):
        idents = (node.name,)
    elif isinstance(node, tree.AssignStmt | tree.ParamStmt | tree.LayerStmt | tree.LetStmt):
        idents = defined(node)
    elif isinstance(node, tree.BufferStmt | tree.StateStmt):
        idents = (node.name,)
    elif isinstance(node, tree.Repeat) and node.var is not None:
        idents = (node.var,)
    for ident in idents:
        scope.define(ident.text, FAILED, ident.span)


def _check(e: Context, scope: Scope, node: tree.Name, called: bool) -> None:
    name = node.id
    if find(scope, name) or name in INITIALIZERS:
        return
    if called and (find_definition(scope, name) is not None or is_function(name)):
        return
    if not called:
        undefined(e, scope, name, node.span)
    elif name[:1].isupper():
        unknown_layer(e, scope, name, node.span)
    else:
        unknown_function(e, scope, name, node.span)
