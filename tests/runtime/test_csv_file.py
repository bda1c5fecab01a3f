"""CSV files: columns have the type that holds all their cells, and whatever is wrong with a file is one fault with its line."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dslc_runtime.data import csv_file, text_file
from dslc_runtime.data.csv_file import Dialect, open_csv
from dslc_runtime.data.read import Content, Read
from dslc_runtime.data.table import TEXT
from dslc_runtime.errors import RuntimeFault


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(name: str, content: Content = "numbers") -> Read:
    return Read(name, (name,), content=content)


def fault(path: Path, *reads: Read, dialect: Dialect | None = None) -> RuntimeFault:
    with pytest.raises(RuntimeFault) as caught:
        open_csv(path, reads or [read("a")], dialect)
    return caught.value


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", " 2 ", "-3"], "int64", [1, 2, -3]),
        (["1", "2.5", "1e3"], "float64", [1, 2.5, 1000]),
        (["true", "False", "TRUE"], "bool", [True, False, True]),
        (["9007199254740993", "1", "2"], "int64", [9007199254740993, 1, 2]),
    ],
)
def test_a_column_has_the_type_that_holds_all_its_cells(
    tmp_path: Path, cells: list[str], dtype: str, values: list[float]
) -> None:
    table = open_csv(write(tmp_path, "a\n" + "\n".join(cells)), [read("a")])
    assert table.columns["a"].dtype == dtype
    assert table.read("a").tolist() == values


def test_the_type_does_not_depend_on_where_the_fraction_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "CHUNK", 2)
    for at in range(7):
        cells = ["0.5" if i == at else str(i) for i in range(7)]
        table = open_csv(write(tmp_path, "a\n" + "\n".join(cells)), [read("a")])
        assert table.columns["a"].dtype == np.float64
        assert table.read("a").tolist() == [float(cell) for cell in cells]


def test_several_columns_and_ranges_are_vectors(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c\n1,2.5,3\n4,5,6\n")
    reads = [Read("two", ("c", "a")), Read("all", ("a", "c"), range=True), Read("one", ("b", "b"), range=True)]
    table = open_csv(path, reads)
    assert table.read("two").tolist() == [[3, 1], [6, 4]]
    assert table.columns["two"].dtype == np.int64
    assert table.read("all").tolist() == [[1, 2.5, 3], [4, 5, 6]]
    assert table.read("one").tolist() == [[2.5], [5]]


def test_text_is_kept_as_it_is_and_labels_are_stripped(tmp_path: Path) -> None:
    path = write(tmp_path, '\ufeffa,b,n\n"x, ""y""\nz", cat ,3\n\n007,dog,1\n')
    table = open_csv(path, [read("a", "text"), read("b", "labels"), read("n", "labels")])
    assert table.read("a").tolist() == ['x, "y"\nz', "007"]
    assert table.read("b").tolist() == ["cat", "dog"]
    assert table.columns["b"].dtype == TEXT
    assert table.read("n").tolist() == [3, 1]
    assert [table.place(row) for row in range(2)] == ["line 2", "line 5"]


def test_another_delimiter_and_no_header(tmp_path: Path) -> None:
    table = open_csv(write(tmp_path, "1;2,5\n"), [read("b", "text")], Dialect(";", ("a", "b")))
    assert table.read("b").tolist() == ["2,5"]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "DL5060", "it is empty"),
        ("a\n", "DL5008", "no rows"),
        ("a,b\n1,2\n\n3\n", "DL5060", "line 4 has 1 cell, its header has 2"),
        ("a,b\n1,2,3\n", "DL5060", "line 2 has 3 cells, its header has 2"),
        ('a\n"1\n', "DL5060", "line 2: a quoted cell is not closed"),
        ('a\n"1"2\n', "DL5060", "line 2: "),
        ("a\n" + "1" * 200_000, "DL5060", "line 2: a cell is longer than 131072 characters"),
        ("a\r1\r2\r", "DL5060", "old Macintosh"),
        ("b\n1\n", "DL5003", "no column `a`"),
        ("a,a\n1,2\n", "DL5065", "2 columns `a`"),
        ("a\n1\nNA\n", "DL5061", r"column `a` has no value in line 3 \('NA'\)"),
        ("a,b\n1,2\n,2\n", "DL5061", "column `a` has no value in line 3"),
        ("a\n1\nnan\n", "DL5061", "line 3"),
        ("a\n1\nx\n", "DL5062", "column `a` holds 'x' in line 3, which is not a number"),
        ("a\n1\n1_0\n", "DL5062", "'1_0' in line 3"),
        ("a\n1\n99999999999999999999\n", "DL5062", "has more than 64 bits"),
        ("a\n1\ntrue\n", "DL5062", "numbers and truth values, between line 2 and line 3"),
        (b"a\n1\n\xe9\n", "DL5063", "line 3 is not UTF-8: byte 1 is 0xe9"),
        (b"a\n1\n2\x00\n", "DL5063", "line 3 holds a NUL at byte 2"),
        ("a\n1\n".encode("utf-16"), "DL5063", "UTF-16"),
        (b"\x1f\x8b\x08\x00", "DL5063", "gzip"),
    ],
)
def test_a_file_at_fault_is_told_with_its_line(tmp_path: Path, text: str | bytes, code: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(RuntimeFault, match=f"{code}: .*{words}") as caught:
        open_csv(path, [read("a")])
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("text", "reads", "dialect", "notes"),
    [
        ("a,b\nNA,1\n2,x\n,y\n", ("a", "b"), Dialect(), ("more cells are at fault: 1 in `a`, 2 in `b`",)),
        ("a,b\n1,2\nx,?\n", ("a",), Dialect(), ()),
        ("a\nx\ntrue\ny\nNA\n", ("a",), Dialect(fill=0), ("more cells are at fault: 1 in `a`",)),
        ("a\nx\n2\ny\nz\n", ("a",), Dialect(drop=True), ("more cells are at fault: 2 in `a`",)),
        ("a\n1\ntrue\nx\n", ("a",), Dialect(), ("more cells are at fault: 1 in `a`",)),
        ('a\nx\ny\n"z', ("a",), Dialect(), ("more cells are at fault: 1 in `a`",)),
    ],
    ids=["two columns", "one column", "filled", "dropped", "of two kinds", "no table further on"],
)
def test_the_first_cell_at_fault_is_told_with_the_number_of_the_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    reads: Sequence[str],
    dialect: Dialect,
    notes: tuple[str, ...],
) -> None:
    path = write(tmp_path, text)
    monkeypatch.setattr(csv_file, "CHUNK", 2)
    with pytest.raises(RuntimeFault) as caught:
        open_csv(path, [read(name) for name in reads], dialect)
    assert caught.value.notes == notes


def test_the_other_delimiter_is_proposed(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1;2\n")
    assert 'delimiter = ";"' in fault(path).help


@pytest.mark.parametrize(
    ("text", "header", "help"),
    [
        ("x;a\n1;2\n", (), 'delimiter = ";"'),
        ("1,2.5\n3,4\n", (), 'columns = ["c0", "c1"]'),
        ("1,2,3,4\n", (), 'columns = ["c0", "c1", "c2", ...]'),
        ("b\n1\n", (), ""),
        ("1\n", ("b",), ""),
    ],
)
def test_a_first_line_that_has_not_the_names_says_what_may_be_meant(
    tmp_path: Path, text: str, header: tuple[str, ...], help: str
) -> None:
    with pytest.raises(RuntimeFault) as caught:
        open_csv(write(tmp_path, text), [read("a")], Dialect(header=header))
    assert caught.value.code == "DL5003"
    assert help in caught.value.help if help else not caught.value.help


def test_text_where_numbers_are_read_names_the_function(tmp_path: Path) -> None:
    assert 'classes(source["a"])' in fault(write(tmp_path, "a\nx\n")).help


def test_a_column_cannot_be_text_and_numbers(tmp_path: Path) -> None:
    assert fault(write(tmp_path, "a\n1\n"), read("a"), Read("a as text", ("a",), content="text")).code == "DL5066"


def test_a_range_in_another_order_is_a_fault(tmp_path: Path) -> None:
    assert fault(write(tmp_path, "b,a\n1,2\n"), Read("ab", ("a", "b"), range=True)).code == "DL5065"


def test_truths_and_numbers_are_not_stacked(tmp_path: Path) -> None:
    assert fault(write(tmp_path, "a,b\n1,true\n"), Read("ab", ("a", "b"))).code == "DL5066"


def test_a_file_that_is_not_there_names_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "a\n1\n")
    found = fault(tmp_path / "iris.csv")
    assert found.code == "DL5001"
    assert found.notes == ("that folder holds `t.csv`",)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_line_without_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quote: str
) -> None:
    for module in (csv_file, text_file):
        monkeypatch.setattr(module, "MAX_LINE", 10_000)
    end = "\n" if quote else ","
    path = write(tmp_path, f"a\n{quote}" + f"{quote}1{quote},{end}".join(["1"] * 200_000))
    tracemalloc.start()
    try:
        assert fault(path).code in ("DL5060", "DL5063")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_the_fingerprint_follows_the_file(tmp_path: Path) -> None:
    first = open_csv(write(tmp_path, "a\n1\n"), [read("a")]).fingerprint
    assert open_csv(write(tmp_path, "a\n1\n"), [read("a")]).fingerprint == first
    assert open_csv(write(tmp_path, "a\n2\n"), [read("a")]).fingerprint != first


GOOD = b'a,b,"c d",kind\n1,2.5,"x, ""y""\nz",cat\n-3,4,"",dog\n\n5,1e3,last,cat\n'
READS = (
    Read("ab", ("a", "b")),
    Read("all", ("a", "b"), range=True),
    Read("text", ("c d",), content="text"),
    Read("kind", ("kind",), content="labels"),
)
BYTES = (
    b"",
    b"\0",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\xff",
    b"\xc3\xa9",
    b"9" * 40,
    b"1e999",
    b"nan",
    b"_",
    b";",
    b"\xe2\x80\xae",
)


def test_damage_anywhere_is_a_fault_and_never_a_traceback(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    codes: set[str] = set()
    for _ in range(2_000):
        damaged = bytearray(GOOD)
        for _ in range(rng.integers(1, 4)):
            start = int(rng.integers(len(damaged)))
            damaged[start : start + int(rng.integers(0, 4))] = BYTES[rng.integers(len(BYTES))]
        path = write(tmp_path, bytes(damaged))
        try:
            table = open_csv(path, READS)
            for each in READS:
                assert len(table.read(each.name)) == table.rows
            codes.add("")
        except RuntimeFault as fault:
            codes.add(fault.code)
    assert codes >= {"", "DL5003", "DL5060", "DL5061", "DL5062", "DL5063"}


GAPS = "a,b,kind,text\n1,2,x,\n,3,y,one\n4,NA,?,two\n-5.5,6,y,three\n7,?,x,?\n"


def test_rows_that_lack_a_value_in_a_column_that_is_read_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, GAPS)
    for chunk in (1, 2, 256):
        monkeypatch.setattr(csv_file, "CHUNK", chunk)
        table = open_csv(path, [read("a"), read("kind", "labels")], Dialect(drop=True))
        assert table.read("a").tolist() == [1, -5.5, 7]
        assert table.read(read("kind", "labels").name).tolist() == ["x", "y", "x"]
        assert [table.place(row) for row in range(table.rows)] == ["line 2", "line 5", "line 6"]


def test_text_without_words_is_no_missing_value(tmp_path: Path) -> None:
    table = open_csv(write(tmp_path, GAPS), [read("a"), Read("t", ("text",), content="text")], Dialect(drop=True))
    assert table.read("t").tolist() == ["", "two", "three", "?"]


def test_a_number_stands_for_missing_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, GAPS)
    for chunk in (1, 2, 256):
        monkeypatch.setattr(csv_file, "CHUNK", chunk)
        assert open_csv(path, [read("a"), read("b")], Dialect(fill=-1)).read("a").tolist() == [1, -1, 4, -5.5, 7]
    whole = open_csv(path, [read("b")], Dialect(fill=-1))
    assert whole.read("b").tolist() == [2, 3, -1, 6, -1]
    assert whole.columns["b"].dtype == np.int64
    assert open_csv(path, [read("b")], Dialect(fill=0.5)).columns["b"].dtype == np.float64


def test_no_number_stands_for_a_label_that_is_missing(tmp_path: Path) -> None:
    found = fault(write(tmp_path, GAPS), read("kind", "labels"), dialect=Dialect(fill=0))
    assert found.code == "DL5061"
    assert "line 4" in found.message


def test_what_is_no_number_is_a_fault_whatever_becomes_of_missing_values(tmp_path: Path) -> None:
    for dialect in (Dialect(fill=0), Dialect(drop=True)):
        found = fault(write(tmp_path, "a\n1\n?\nmany\n"), dialect=dialect)
        assert found.code == "DL5062"
        assert "'many' in line 4" in found.message


def test_a_table_of_which_no_row_is_left_is_a_fault(tmp_path: Path) -> None:
    assert fault(write(tmp_path, "a\n?\nNA\n"), dialect=Dialect(drop=True)).code == "DL5008"
