"""The tables of passes -> the generated page `docs/rules.md`: every rewriting rule, and the law that its docstring states."""

from __future__ import annotations

import re

from dslc.backends.numpy_forms import NUMPY_PASSES
from dslc.passes import IMAGE_PASSES, PASSES, SCAN_PASSES
from dslc.passes.pipeline import Rewriting
from dslc.passes.rewrite import Rules

_HEAD = """# Rewriting rules

<!-- Made by `python -m dslc.doc` from the tables of the passes. Do not edit. -->

Every rule by the pass that applies it, with the operators it is tried at and its law: what it finds -> what it puts there. How
rules are proved, and what each is worth, is in [passes.md](passes.md)."""

_MANY = 5
_CODE_OR_MARK = re.compile(r"`[^`]*`|[*|<]")


def rules_page() -> str:
    """The text of the page."""
    return "\n\n".join([_HEAD, *(_section(name, table) for name, table in rewriting_passes().items())]) + "\n"


def rewriting_passes() -> dict[str, Rules]:
    """The rules of every pass that rewrites, by its name, in the order in which passes run."""
    pipelines = (PASSES, SCAN_PASSES, IMAGE_PASSES, NUMPY_PASSES)
    return {name: run.rules for pipeline in pipelines for name, run in pipeline if isinstance(run, Rewriting)}


def _section(name: str, table: Rules) -> str:
    tried: dict[str, list[str]] = {}
    laws: dict[str, str] = {}
    for op, alternatives in table.items():
        for rule in alternatives:
            tried.setdefault(rule.__name__, []).append(op)
            laws[rule.__name__] = _law(rule.__doc__ or "")
    rows = [f"| `{rule}` | {_operators(ops)} | {laws[rule]} |" for rule, ops in tried.items()]
    return "\n".join([f"## {name[0].upper()}{name[1:]}", "", "| rule | operators | law |", "|---|---|---|", *rows])


def _operators(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) if len(names) < _MANY else "many"


def _law(docstring: str) -> str:
    """The first paragraph, its marks harmless in a table."""
    paragraph = " ".join(docstring.split("\n\n", maxsplit=1)[0].split())
    return _CODE_OR_MARK.sub(lambda match: match[0] if match[0].startswith("`") else f"\\{match[0]}", paragraph)
