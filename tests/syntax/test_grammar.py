"""The grammar has no conflicts, its tables are the shipped ones, and Lark itself reads programs the same way."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from lark import Lark, Tree
from lark import Token as LarkToken
from lark.exceptions import UnexpectedInput

from dslc.diagnostics import Sink
from dslc.resources import grammar_path
from dslc.source import Source, Span
from dslc.syntax import lalr, tables
from dslc.syntax.build import BUILDERS
from dslc.syntax.build_tables import TABLES, generate
from dslc.syntax.layout import settle
from dslc.syntax.lexer import scan
from dslc.syntax.parse import parse
from dslc.syntax.token import END, Token

GRAMMAR = grammar_path().read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def lark() -> Lark:
    """Building it with `strict` fails on any conflict of rules and any collision of terminals."""
    return Lark(GRAMMAR, parser="lalr", start="file", strict=True, maybe_placeholders=True)


def test_the_shipped_tables_are_those_of_the_grammar() -> None:
    assert generate(GRAMMAR) == TABLES.read_text(encoding="utf-8"), "run: python -m dslc.syntax.build_tables"


def test_the_tables_do_not_depend_on_the_order_of_hashes() -> None:
    code = "from dslc.syntax.build_tables import *; import zlib; print(zlib.crc32(generate(grammar_path().read_text()).encode()))"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_every_rule_has_its_builder_and_every_builder_its_rule() -> None:
    named = {builder for _, _, builder, _ in tables.RULES if builder not in ("", "*")}
    assert named == set(BUILDERS)


def settled(source: Source) -> list[Token]:
    sink = Sink()
    return settle(scan(source, sink), source, sink)


def read_by_lark(lark: Lark, tokens: list[Token]) -> Tree[Any] | None:
    """What Lark makes of settled tokens; None where it does not accept them."""
    reader = lark.parse_interactive("")
    try:
        for token in tokens[:-1]:
            reader.feed_token(LarkToken(token.kind, token.text, token.start, end_pos=token.end))
        return reader.feed_eof()
    except UnexpectedInput:
        return None


def built(node: Any, span: Span) -> Any:
    """A tree of Lark's through our builders, without places."""
    if isinstance(node, Tree):
        return BUILDERS[str(node.data)]([built(child, span) for child in node.children], span)
    if isinstance(node, LarkToken):
        return Token(node.type, str(node), node.start_pos or 0, node.end_pos or 0)
    return node


def test_lark_makes_the_same_tree(lark: Lark, program: Source, shape: Callable[[Any], Any]) -> None:
    ours = lalr.run(settled(program), program, lambda _: False)
    theirs = read_by_lark(lark, settled(program))
    assert theirs is not None
    without_docs = [token._replace(doc="") for token in settled(program)]
    assert shape(lalr.run(without_docs, program, lambda _: False)) == shape(built(theirs, Span(program, 0, 0)))
    assert len(ours.decls) > 1


def test_lark_accepts_what_we_accept(lark: Lark, program: Source) -> None:
    """On programs with a token dropped, doubled, swapped or exchanged."""
    tokens = settled(program)
    draw = random.Random(7)
    rejected = 0
    for _ in range(60):
        mutant = list(tokens[:-1])
        at = draw.randrange(len(mutant) - 1)
        kind = draw.randrange(4)
        if kind == 0:
            del mutant[at]
        elif kind == 1:
            mutant.insert(at, mutant[at])
        elif kind == 2:
            mutant[at], mutant[at + 1] = mutant[at + 1], mutant[at]
        else:
            mutant[at] = draw.choice(mutant)
        mutant.append(Token(END, "", tokens[-1].start, tokens[-1].end))
        accepted = True

        def told(_: lalr.Unexpected) -> bool:
            nonlocal accepted
            accepted = False
            return False

        lalr.run(mutant, program, told)
        assert accepted == (read_by_lark(lark, mutant) is not None)
        rejected += not accepted
    assert 0 < rejected < 60


def test_the_example_programs_have_no_mistakes(program: Source) -> None:
    sink = Sink()
    file = parse(program, sink)
    assert not list(sink)
    assert len(file.decls) >= 2
