"""Functions of fields: what they learn, what they give for any rows, and what they refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dslc_runtime.data.classes import Classes
from dslc_runtime.data.learned import as_bytes, digest, read_learned
from dslc_runtime.data.scaling import Standardize
from dslc_runtime.data.table import TEXT, MemoryTable, memory_table
from dslc_runtime.data.text_lines import open_text
from dslc_runtime.data.tokens import Tokens, words
from dslc_runtime.data.windows import Window
from dslc_runtime.errors import RuntimeFault

TABLE: MemoryTable = memory_table({"x": [1, 2, 3]})


def texts(*rows: str) -> Any:
    return np.array(rows, TEXT)


# ---------------------------------------------------------------------------------------------- words and vocabularies


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("这是 一个 关于 深度", ["这是", "一个", "关于", "深度"]),
        ("Hello, World! (again)", ["Hello", "World", "again"]),
        ("don't 'quote' rock\u2019n\u2019roll", ["don't", "quote", "rock'n'roll"]),
        ("a_b well-known 3.14 €5", ["a", "b", "well", "known", "3", "14", "5"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("tab\tline\nnext\u00a0space\u3000wide", ["tab", "line", "next", "space", "wide"]),
        ("🙂 … --- ''", []),
        ("", []),
    ],
)
def test_words_stand_between_spaces_punctuation_and_symbols(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_the_most_frequent_tokens_come_first_and_then_the_alphabet() -> None:
    tokens = Tokens("t", 6, 4, "words", lower=True)
    learned = tokens.learn(texts("b a B", "c d a", "e"), TABLE)
    assert learned == {"tokens": ["a", "b", "c", "d"]}
    found = tokens.apply(texts("A e b", "c c c c d", ""), learned, TABLE)
    assert found.tolist() == [[2, 1, 3, 0], [4, 4, 4, 4], [0, 0, 0, 0]]
    assert found.dtype == np.int64


def test_characters_and_whole_texts_are_tokens_too() -> None:
    characters = Tokens("t", 4, 3, "characters", lower=False)
    learned = characters.learn(texts("aA", "a "), TABLE)
    assert learned == {"tokens": ["a", " "]}
    assert characters.apply(texts("aA", "a b!"), learned, TABLE).tolist() == [[2, 1, 0], [2, 3, 1]]
    whole = Tokens("t", 9, None, "words", lower=False)
    learned = whole.learn(texts("New York", "Rome", "Rome"), TABLE)
    assert learned == {"tokens": ["Rome", "New York"]}
    assert whole.apply(texts("New York", "new york"), learned, TABLE).tolist() == [3, 1]


def test_composed_and_decomposed_letters_are_one_token() -> None:
    tokens = Tokens("t", 9, 1, "words", lower=True)
    learned = tokens.learn(texts("Caf\u00e9"), TABLE)
    assert tokens.apply(texts("cafe\u0301"), learned, TABLE).tolist() == [[2]]


def test_text_without_a_word_teaches_nothing() -> None:
    with pytest.raises(RuntimeFault, match="DL5067: the texts of column `t` have no words"):
        Tokens("t", 9, 4, "words", lower=True).learn(texts("...", ""), TABLE)


# ---------------------------------------------------------------------------------------------- classes


@pytest.mark.parametrize(
    ("rows", "labels", "ids"),
    [
        (texts("dog", "cat", "dog"), ["cat", "dog"], [1, 0, 1]),
        (np.array([10, 2, 10]), [2, 10], [1, 0, 1]),
        (texts("10", "x", "2"), ["10", "2", "x"], [0, 2, 1]),
    ],
)
def test_labels_are_numbered_in_their_order(rows: Any, labels: list[Any], ids: list[int]) -> None:
    classes = Classes("kind")
    learned = classes.learn(rows, TABLE)
    assert learned == {"labels": labels}
    assert classes.apply(rows, learned, TABLE).tolist() == ids
    assert classes.fits(learned)


def test_a_label_that_was_not_there_is_a_fault_with_its_row() -> None:
    with pytest.raises(RuntimeFault, match=r"DL5064: .*`doge` in row 1") as caught:
        Classes("kind").apply(texts("cat", "doge"), {"labels": ["cat", "dog"]}, TABLE)
    assert caught.value.help == "did you mean `dog`?"


@pytest.mark.parametrize("rows", [np.array([0.5]), np.array([[1, 2]]), np.array([True])])
def test_fractions_truths_and_vectors_are_no_labels(rows: Any) -> None:
    with pytest.raises(RuntimeFault, match="DL5067"):
        Classes("kind").learn(rows, TABLE)


def test_labels_of_text_are_known_where_all_rows_look_like_numbers() -> None:
    assert Classes("kind").apply(np.array([2, 10]), {"labels": ["10", "2", "x"]}, TABLE).tolist() == [1, 0]


# ---------------------------------------------------------------------------------------------- numbers


def test_standardized_columns_have_mean_0_and_deviation_1() -> None:
    rows = np.random.default_rng(0).normal([3, 1e6, 5], [2, 1e-2, 0], (50, 3))
    scaled = Standardize("x")
    learned = scaled.learn(rows, TABLE)
    found = scaled.apply(rows, learned, TABLE)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-7)
    np.testing.assert_allclose(found.std(axis=0), [1, 1, 0], atol=1e-12)
    assert learned["deviation"][2] == 1
    np.testing.assert_array_equal(found[:, 2], 0)


def test_standardized_rows_keep_their_type_and_are_read_back_exactly() -> None:
    rows = np.array([0.1, 0.2, 0.7], np.float32)
    scaled = Standardize("x")
    learned = scaled.learn(rows, TABLE)
    again = json.loads(as_bytes({"x": learned}))["learned"]["x"]
    assert again == learned
    assert scaled.apply(rows, again, TABLE).dtype == np.float32
    assert not scaled.fits({"mean": "a", "deviation": 1})
    assert not scaled.fits({"mean": [float("nan")], "deviation": [1.0]})


@pytest.mark.parametrize(
    ("length", "stride", "offset", "reach"), [(3, 1, 0, 3), (2, 2, 0, 3), (1, 3, 4, 5), (2, 1, 1, 6)]
)
def test_a_window_is_neighbouring_rows(length: int, stride: int, offset: int, reach: int) -> None:
    rows = np.arange(20).reshape(10, 2)
    found = Window("x", length, stride, offset, reach).apply(rows, {}, TABLE)
    starts = range(0, 10 - reach + 1, stride)
    assert found.tolist() == [rows[s + offset : s + offset + length].tolist() for s in starts]


def test_a_series_shorter_than_a_window_is_a_fault() -> None:
    with pytest.raises(RuntimeFault, match="DL5069: field `x` needs 4 rows for a window, and a part of the data has 3"):
        Window("x", 3, 1, 1, 4).apply(np.arange(3), {}, TABLE)


# ---------------------------------------------------------------------------------------------- text files


def test_lines_and_characters_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes("\ufeffone\r\n\n  two \nthree".encode())
    lines = open_text(path)
    assert lines.read("text").tolist() == ["one", "  two ", "three"]
    assert [lines.place(row) for row in range(3)] == ["line 1", "line 3", "line 4"]
    assert "".join(open_text(path, "characters").read("text")) == "one\n\n  two \nthree"


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "DL5008"), (b"\n \n", "DL5008"), (b"\xff\xfea", "DL5063"), (b"a\0", "DL5063")]
)
def test_a_text_at_fault_is_coded(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    with pytest.raises(RuntimeFault, match=code):
        open_text(path)


def test_more_text_than_the_machines_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.txt"
    path.write_text("a\n" * 1_000)
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    assert open_text(path).rows == 1_000
    with pytest.raises(RuntimeFault, match="DL5009"):
        open_text(path, "characters")


# ---------------------------------------------------------------------------------------------- saved


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"format_version": 9, "learned": {}}',
        b"[" * 100_000,
        b'{"format_version": 1, "learned": {}}',
    ],
)
def test_a_file_of_learned_values_that_is_not_the_runs_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "fields.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RuntimeFault, match="DL5068"):
        read_learned(path, digest({"a": {"labels": ["x"]}}))


def test_learned_values_are_read_as_they_were_saved(tmp_path: Path) -> None:
    learned = {"a": {"labels": ["x", "é", "\ud800"]}, "b": {"mean": [0.1, 1e-300], "deviation": [1.0, 2.5]}}
    path = tmp_path / "fields.json"
    path.write_bytes(as_bytes(learned))
    assert read_learned(path, digest(learned)) == learned
    assert read_learned(tmp_path / "none.json", "") == {}
