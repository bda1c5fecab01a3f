"""The layers on sequences that are compared with PyTorch: a stage of a program, and the shape and element type it is applied to."""

from __future__ import annotations

CASES: dict[str, tuple[str, tuple[int, ...], str]] = {
    "embedding": ("it: Embedding(7, 4)", (3, 5), "i64"),
    "embedding-small-ids": ("it: Embedding(7, 4)", (6,), "i32"),
    "embedding-one-id": ("it: Embedding(3, 2)", (), "i64"),
}
