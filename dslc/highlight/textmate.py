"""The TextMate grammar `grammar/dl.tmLanguage.json` that editors read, written by `python -m dslc.highlight`.

TextMate sees one line at a time, so a word is a keyword here by its neighbours on the line. Lookbehinds are of one
character, as every engine has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from dslc.highlight import words
from dslc.syntax.layout import DECLARATIONS
from dslc.syntax.tables import PATTERNS

_NOT_A_NAME = r"(?!\s*(?:[.:,]|=(?!=)))"  # a keyword at a statement's beginning is a name in front of these
_NOT_A_KEY = r"(?!\s*(?::|=(?!=)))"
_BEGINS = r"(?:^|(?<=[{;]))\s*"


def grammar() -> str:
    """The text of the grammar."""
    patterns = [
        {"name": "comment.line.documentation.dl", "match": r"^\s*##(?!#).*$"},
        {"name": "comment.line.number-sign.dl", "match": "#.*$"},
        _string(),
        _definition(),
        *_keywords(),
        {"name": "constant.numeric.dl", "match": rf"(?<![A-Za-z0-9_]){PATTERNS['NUMBER']}"},
        *_names(),
        {"name": "keyword.operator.pipe.dl", "match": r"\|>"},
        {"name": "punctuation.other.ellipsis.dl", "match": r"\.\.\."},
        {"name": "keyword.operator.dl", "match": r"\*\*|[=!<>~]=|[-+*/%@<>=~|]"},
        {"name": "punctuation.separator.dl", "match": r"[,.:;]"},
        {"name": "punctuation.section.dl", "match": r"[(){}\[\]]"},
    ]
    made = {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "dl",
        "scopeName": "source.dl",
        "fileTypes": ["dl"],
        "comment": "Made by `python -m dslc.highlight` from the compiler's tables. Do not edit.",
        "patterns": patterns,
    }
    return json.dumps(made, indent=2) + "\n"


def _string() -> dict[str, object]:
    return {
        "name": "string.quoted.double.dl",
        "begin": '"',
        "end": '"|$',
        "patterns": [{"name": "constant.character.escape.dl", "match": r'\\(?:u[0-9a-fA-F]{4}|[nrt"\\])'}],
    }


def _definition() -> dict[str, object]:
    """`model Name`: the word and the name."""
    return {
        "match": rf"{_BEGINS}(model|block|cell)\s+([A-Za-z_]\w*)",
        "captures": {"1": {"name": "keyword.declaration.dl"}, "2": {"name": "entity.name.type.class.dl"}},
    }


def _keywords() -> list[dict[str, object]]:
    declare = {"1": {"name": "keyword.declaration.dl"}}
    other = words.STATEMENTS - DECLARATIONS - {"require", "expect"}
    return [
        {
            "match": rf"{_BEGINS}(expect)\s+(error)\b(?=\s+[A-Za-z_])",
            "captures": {"1": {"name": "keyword.control.dl"}, "2": {"name": "keyword.control.dl"}},
        },
        {"match": rf"{_BEGINS}({_any(DECLARATIONS)})\b{_NOT_A_NAME}(?!\s*\()", "captures": declare},
        {
            "match": rf"{_BEGINS}({_any(other)})\b{_NOT_A_NAME}(?!\s*\()",
            "captures": {"1": {"name": "keyword.other.dl"}},
        },
        {"match": rf"{_BEGINS}(require|expect)\b{_NOT_A_NAME}", "captures": {"1": {"name": "keyword.control.dl"}}},
        {"match": r'(?<=")\s*(import)\b', "captures": declare},
        {"name": "keyword.control.dl", "match": rf"(?<![.\w])(?:{_any(words.INLINE)})\b{_NOT_A_KEY}"},
        {"name": "keyword.control.dl", "match": r"(?<![.\w])within\b(?=\s+[-\w(.])"},
        {
            "match": r"(?<=[>{:])\s*(repeat)\b(?=\s*\()",
            "captures": {"1": {"name": "keyword.control.dl"}},
        },
        {"name": "keyword.operator.word.dl", "match": rf"(?<![.\w])(?:{_any(words.LOGIC)})\b{_NOT_A_KEY}"},
        {"name": "constant.language.dl", "match": rf"(?<![.\w])(?:{_any(words.CONSTANTS)})\b{_NOT_A_KEY}"},
    ]


def _names() -> list[dict[str, object]]:
    return [
        {"name": "variable.language.dl", "match": r"(?<![.\w])training\b"},
        {"name": "storage.type.dl", "match": rf"(?<![.\w])(?:{_any(words.TYPES)})\b(?=\s*[\[,)|=])"},
        {"name": "support.class.dl", "match": rf"(?<![.\w])(?:{_any(words.LAYERS)})\b"},
        {"name": "support.function.dl", "match": rf"(?<![.\w])(?:{_any(words.FUNCTIONS)})\b(?=\s*\()"},
        {
            "match": rf"(?<=>)\s*({_any(words.FUNCTIONS)})\b(?!\s*:)",
            "captures": {"1": {"name": "support.function.dl"}},
        },
        {"name": "variable.other.dl", "match": r"[A-Za-z_]\w*"},
    ]


def _any(names: Iterable[str]) -> str:
    """A pattern of words, longer ones first."""
    return "|".join(sorted(names, key=lambda name: (-len(name), name)))
