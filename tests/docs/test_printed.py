"""The comparison of what a document says with what was printed must be able to fail."""

from __future__ import annotations

import pytest
from printed import agrees


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("loss 0.0500 (0.1 s)\n", "loss 0.0501 (3.7 s)\n"),
        ("a\n...\nz\n", "a\nb\nc\nz\n"),
        ("a\n...\nz\n", "a\nz\n"),
        ("equal within 1.3e-07 at 1, 2\n", "equal within 4e-08 at 1, 2\n"),
    ],
)
def test_what_may_differ_is_let_through(written: str, printed: str) -> None:
    assert agrees(written, printed)


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("loss 0.050\n", "loss 0.060\n"),
        ("2 passed\n", "3 passed\n"),
        ("a\n...\nz\n", "a\nb\n"),
        ("a\n", "a\nb\n"),
        ("a\nb\n", "a\n"),
        ("passed: x\n", "failed: x\n"),
    ],
)
def test_what_says_something_else_is_not(written: str, printed: str) -> None:
    assert not agrees(written, printed)
