"""The table of codes: a code is said once."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from dslc.diagnostics import CODES, codes


def test_no_code_is_declared_twice() -> None:
    """A table by code would keep the last of two without a word, so the declarations are counted in the source."""
    declared = Counter[str]()
    for path in Path(codes.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Code":
                (code, *_) = node.args
                assert isinstance(code, ast.Constant)
                declared[str(code.value)] += 1
    assert [code for code, count in declared.items() if count > 1] == []
    assert declared.keys() == CODES.keys()
