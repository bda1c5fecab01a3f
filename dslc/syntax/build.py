"""Makes the syntax tree: one function for each rule or alias of the grammar, named like it.

A builder takes the values of a rule's parts, as the grammar's `keep` leaves them, and the span of the whole rule. Tokens
are parts too; a statement in which a mistake was found arrives as None and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from dslc.source import Span
from dslc.syntax import tree
from dslc.syntax.lexer import unescape
from dslc.syntax.token import Token

Parts: TypeAlias = Sequence[Any]
Builder: TypeAlias = Callable[[Parts, Span], Any]

_CONSTANTS = {"TRUE": True, "FALSE": False, "NONE": None}


def _at(token: Token, within: Span) -> Span:
    return Span(within.source, token.start, token.end)


def _ident(token: Token, within: Span) -> tree.Ident:
    return tree.Ident(token.text, _at(token, within))


def _key(token: Token | None, within: Span) -> tree.Ident | None:
    return _ident(token, within) if token is not None else None


def _text(token: Token, within: Span) -> tree.String:
    return tree.String(unescape(token.text), _at(token, within))


def _present(parts: Parts) -> tuple[Any, ...]:
    return tuple(part for part in parts if part is not None)


# ---------------------------------------------------------------------------------------------- declarations


def _file(c: Parts, span: Span) -> tree.File:
    return tree.File(span.source, _present(c))


def _definition(c: Parts, span: Span) -> tree.Definition:
    keyword, name, hypers, body = c
    head_end = hypers[1].end if hypers is not None else name.end
    head = Span(span.source, span.start, head_end)
    made = hypers[0] if hypers is not None else ()
    return tree.Definition(keyword.text, _ident(name, span), made, body, keyword.doc, head, span)


def _data(c: Parts, span: Span) -> tree.DataDecl:
    return tree.DataDecl(_ident(c[1], span), c[2], c[0].doc, span)


def _train(c: Parts, span: Span) -> tree.TrainDecl:
    return tree.TrainDecl(_ident(c[1], span), c[2], c[0].doc, span)


def _test(c: Parts, span: Span) -> tree.TestDecl:
    return tree.TestDecl(_text(c[1], span), c[2], c[0].doc, span)


def _from_import(c: Parts, span: Span) -> tree.FromImport:
    return tree.FromImport(_text(c[0], span), c[1], span)


def _import_as(c: Parts, span: Span) -> tree.Import:
    return tree.Import(_text(c[0], span), _ident(c[1], span), span)


def _spanned(c: Parts, span: Span) -> tuple[tuple[Any, ...], Span]:
    """Parts of brackets whose own place matters to the rule around them."""
    return tuple(c), span


def _hyper(c: Parts, span: Span) -> tree.Hyper:
    return tree.Hyper(_ident(c[0], span), c[1], c[2], span)


def _hyper_type(c: Parts, span: Span) -> tree.HyperType:
    each = ((part, False) if isinstance(part, Token) else part for part in c)
    return tree.HyperType(tuple((_ident(name, span), many) for name, many in each), span)


def _list_type(c: Parts, _: Span) -> tuple[Token, bool]:
    return c[0], True


# ---------------------------------------------------------------------------------------------- statements


def _body(c: Parts, _: Span) -> tuple[Any, ...]:
    return _present(c)


def _input(c: Parts, span: Span) -> tree.InputStmt:
    return tree.InputStmt(_ident(c[0], span), c[1], c[2], span)


def _output(c: Parts, span: Span) -> tree.OutputStmt:
    return tree.OutputStmt(_ident(c[0], span), c[1], c[2], span)


def _param(c: Parts, span: Span) -> tree.ParamStmt:
    return tree.ParamStmt(_ident(c[0], span), c[1], c[2], _key(c[3], span), span)


def _buffer(c: Parts, span: Span) -> tree.BufferStmt:
    return tree.BufferStmt(_ident(c[0], span), c[1], c[2], _key(c[3], span), span)


def _state(c: Parts, span: Span) -> tree.StateStmt:
    return tree.StateStmt(_ident(c[0], span), c[1], c[2], span)


def _next(c: Parts, span: Span) -> tree.NextStmt:
    return tree.NextStmt(_ident(c[0], span), c[1], span)


def _update(c: Parts, span: Span) -> tree.UpdateStmt:
    return tree.UpdateStmt(c[0], c[1], span)


def _layer(c: Parts, span: Span) -> tree.LayerStmt:
    return tree.LayerStmt(_ident(c[0], span), c[1], span)


def _let(c: Parts, span: Span) -> tree.LetStmt:
    return tree.LetStmt(_ident(c[0], span), c[1], span)


def _require(c: Parts, span: Span) -> tree.RequireStmt:
    return tree.RequireStmt(c[0], _text(c[1], span) if c[1] is not None else None, span)


def _assign(c: Parts, span: Span) -> tree.AssignStmt:
    return tree.AssignStmt(c[0], None, c[1], span)


def _typed_assign(c: Parts, span: Span) -> tree.AssignStmt:
    return tree.AssignStmt((_ident(c[0], span),), c[1], c[2], span)


def _call_statement(c: Parts, span: Span) -> tree.CallStmt:
    return tree.CallStmt(_call(c, span), span)


def _if_statement(c: Parts, span: Span) -> tree.IfStmt:
    orelse = c[2] if c[2] is not None else ()
    return tree.IfStmt(c[0], c[1], (orelse,) if isinstance(orelse, tree.IfStmt) else orelse, span)


def _field(c: Parts, span: Span) -> tree.FieldStmt:
    return tree.FieldStmt(_ident(c[0], span), c[1], c[2], span)


def _use(c: Parts, span: Span) -> tree.UseStmt:
    return tree.UseStmt(_ident(c[0], span), c[1], span)


def _step(c: Parts, span: Span) -> tree.StepStmt:
    return tree.StepStmt(_ident(c[0], span), c[1], span)


def _sample(c: Parts, span: Span) -> tree.SampleStmt:
    return tree.SampleStmt(_ident(c[0], span), c[1], c[2], span)


def _train_ref(c: Parts, span: Span) -> tree.TrainRef:
    return tree.TrainRef(_ident(c[0], span), span)


def _given(c: Parts, span: Span) -> tree.GivenStmt:
    return tree.GivenStmt(_ident(c[0], span), c[1], span)


def _expect(c: Parts, span: Span) -> tree.ExpectStmt:
    left, op, right, within = c
    return tree.ExpectStmt(left, op.text, right, within, _at(op, span), span)


def _expect_error(c: Parts, span: Span) -> tree.ExpectErrorStmt:
    return tree.ExpectErrorStmt(_ident(c[0], span), span)


def _dim(c: Parts, span: Span) -> tree.DimStmt:
    return tree.DimStmt(c[0], span)


def _names(c: Parts, span: Span) -> tuple[tree.Ident, ...]:
    return tuple(_ident(token, span) for token in c)


def _type(c: Parts, span: Span) -> tree.TypeExpr:
    return tree.TypeExpr(_ident(c[0], span), tuple(c[1:]), span)


# ---------------------------------------------------------------------------------------------- expressions


def _pipe(c: Parts, span: Span) -> tree.Pipe:
    return tree.Pipe(c[0], tuple(c[1:]), span)


def _stage(c: Parts, span: Span) -> tree.Stage:
    return tree.Stage(_key(c[0], span), c[1], span)


def _repeat(c: Parts, span: Span) -> tree.Repeat:
    return tree.Repeat(c[0], _key(c[1], span), tuple(c[2:]), span)


def _choose(c: Parts, span: Span) -> tree.IfExpr:
    return tree.IfExpr(c[0], c[1], c[2], span)


def _binary(c: Parts, span: Span) -> tree.Binary:
    left, op, right = c
    return tree.Binary(op.text, left, right, _at(op, span), span)


def _unary(c: Parts, span: Span) -> tree.Expr:
    return tree.Unary(c[0].text, c[1], span)


def _attribute(c: Parts, span: Span) -> tree.Attribute:
    return tree.Attribute(c[0], _ident(c[1], span), span)


def _index(c: Parts, span: Span) -> tree.Index:
    items, brackets = c[1]
    return tree.Index(c[0], items, brackets, span)


def _slice(c: Parts, span: Span) -> tree.Slice:
    start, stop, step = c
    return tree.Slice(start, stop, step, span)


def _call(c: Parts, span: Span) -> tree.Call:
    return tree.Call(c[0], c[1][0], span)


def _argument(c: Parts, span: Span) -> tree.Arg:
    return tree.Arg(_key(c[0], span), c[1], span)


def _name(c: Parts, span: Span) -> tree.Name:
    return tree.Name(c[0].text, span)


def _number(c: Parts, span: Span) -> tree.Number:
    text: str = c[0].text
    return tree.Number(int(text) if text.replace("_", "").isdigit() else float(text), span)


def _quantity(c: Parts, span: Span) -> tree.Quantity:
    return tree.Quantity(c[0], _ident(c[1], span), span)


def _string(c: Parts, span: Span) -> tree.String:
    return _text(c[0], span)


def _constant(c: Parts, span: Span) -> tree.Constant:
    return tree.Constant(_CONSTANTS[c[0].kind], span)


def _list(c: Parts, span: Span) -> tree.List:
    return tree.List(tuple(c), span)


def _record(c: Parts, span: Span) -> tree.Record:
    return tree.Record(tuple(c), span)


def _entry(c: Parts, span: Span) -> tree.Entry:
    return tree.Entry(_ident(c[0], span), c[1], span)


def _ellipsis(_: Parts, span: Span) -> tree.Ellipsis_:
    return tree.Ellipsis_(span)


BUILDERS: dict[str, Builder] = {
    "file": _file, "definition": _definition, "data": _data, "train": _train, "test": _test,
    "from_import": _from_import, "import_as": _import_as, "hypers": _spanned, "hyper": _hyper,
    "hyper_type": _hyper_type, "list_type": _list_type, "block": _body,
    "input": _input, "output": _output, "param": _param, "buffer": _buffer, "state": _state, "next": _next,
    "update": _update, "layer": _layer, "let": _let, "require": _require, "assign": _assign,
    "typed_assign": _typed_assign, "call_statement": _call_statement, "if_statement": _if_statement,
    "field": _field, "use": _use, "step": _step, "sample": _sample, "train_ref": _train_ref, "given": _given,
    "expect": _expect, "expect_error": _expect_error, "dim": _dim, "names": _names, "type": _type,
    "pipe": _pipe, "stage": _stage, "repeat": _repeat, "choose": _choose, "binary": _binary, "unary": _unary,
    "attribute": _attribute, "index": _index, "items": _spanned, "slice": _slice, "call": _call,
    "arguments": _spanned, "argument": _argument, "name": _name, "number": _number, "quantity": _quantity,
    "string": _string, "constant": _constant, "list": _list, "record": _record, "entry": _entry,
    "ellipsis": _ellipsis,
}  # fmt: skip

# What makes a tree deeper, and so what later stages recurse into.
NESTS = frozenset(
    {
        "if_statement",
        "pipe",
        "repeat",
        "choose",
        "binary",
        "unary",
        "attribute",
        "index",
        "slice",
        "call",
        "list",
        "record",
    }
)
