"""The `source` and `split` of a data block: which parts there are and where each one's columns come from.

Input: the syntax tree of the setting. Output: a `SourceSpec` per part, and shares of the training part. No file is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dslc.check.literals import array
from dslc.check.near import near, proposed, quoted
from dslc.check.settings import PARTS, Setting, literal_number, not_yet
from dslc.check.text_sources import csv_source, path_of, text_source
from dslc.check.typed import Literal, SourceSpec
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.syntax import tree

LATER = ("parquet", "image_folder")


def check_sources(setting: Setting, sink: Sink) -> dict[str, SourceSpec] | None:
    """The sources by part, "train" always among them, or None after a report."""
    value = setting.value
    if not isinstance(value, tree.Record):
        spec = _source(value, sink)
        return None if spec is None else {"train": spec}
    found: dict[str, SourceSpec] = {}
    good = True
    for entry in value.entries:
        if entry.key.text not in PARTS:
            _report_part(entry.key, sink)
            good = False
        elif entry.key.text in found:
            sink.report("DL3003", f"`{entry.key.text}` is given twice", entry.key.span, "given again here")
            good = False
        else:
            spec = _source(entry.value, sink)
            good = good and spec is not None
            if spec is not None:
                found[entry.key.text] = spec
    if good and "train" not in found:
        sink.report(
            "DL3002",
            "the source has no part `train`",
            value.span,
            "only these parts",
            footers=[Help("name the part that is learned from:", code=("source = { train: ... }",))],
        )
        good = False
    return found if good and _same_columns(found, sink) else None


def _report_part(key: tree.Ident, sink: Sink) -> None:
    helps = proposed(near(key.text, PARTS), key.span)
    sink.report(
        "DL3018",
        f"there is no part of the data called `{key.text}`",
        key.span,
        "not a part",
        footers=[*helps, Note(f"the parts are {quoted(PARTS, 'and')}")],
    )


def _same_columns(specs: Mapping[str, SourceSpec], sink: Sink) -> bool:
    """Whether every part names the same columns; one that names none has whatever its file holds."""
    first = specs["train"]
    for part, spec in specs.items():
        lacking = [name for name in first.columns if name not in spec.columns]
        if spec.columns and lacking:
            sink.report(
                "DL3015",
                f"part `{part}` has no column {quoted(lacking, 'and')}",
                spec.span,
                f"names {quoted(spec.columns, 'and')}",
                Label(first.span, f"`train` has {quoted(first.columns, 'and')}"),
                footers=[Note("fields are the same for all parts, so every part needs the same columns")],
            )
            return False
    return True


def _source(value: tree.Expr, sink: Sink) -> SourceSpec | None:
    if isinstance(value, tree.Call) and isinstance(value.callee, tree.Name):
        name = value.callee
        if name.id in _READERS:
            return _READERS[name.id](value, sink)
        if name.id in LATER:
            not_yet(f"the data source `{name.id}`", name, sink)
            return None
        footers = proposed(near(name.id, KINDS), name.span)
        sink.report(
            "DL3010",
            f"there is no data source `{name.id}`",
            name.span,
            "not a data source",
            footers=[*footers, Note(f"data sources are {quoted(KINDS, 'and')}")],
        )
        return None
    footers = [Help("write", (Edit(value.span, f"npz({value.span.text})"),))] if isinstance(value, tree.String) else []
    sink.report(
        "DL3010",
        "`source` takes a data source, or a record of them by part",
        value.span,
        "this is neither",
        footers=[*footers, Note(f"data sources are {quoted(KINDS, 'and')}")],
    )
    return None


def _npz(call: tree.Call, sink: Sink) -> SourceSpec | None:
    """`npz("path", name = "array", ...)`; without names every array of the file is a column under its own name."""
    path = path_of(call, 'npz("digits.npz", image = "x_train")', sink)
    if path is None:
        return None
    columns = _named(call.args[1:], "npz", "array", "x_train", sink)
    return None if columns is None else SourceSpec("npz", path, columns, call.span)


def _idx(call: tree.Call, sink: Sink) -> SourceSpec | None:
    """`idx(name = "file", ...)`: a file for each column."""
    if not call.args:
        example = Help("name each column and its file:", code=('idx(image = "train-images-idx3-ubyte.gz")',))
        sink.report("DL3011", "`idx` takes the files of its columns", call.span, "no columns here", footers=[example])
        return None
    columns = _named(call.args, "idx", "file", "train-images-idx3-ubyte.gz", sink)
    return None if columns is None else SourceSpec("idx", "", columns, call.span)


def _named(args: Sequence[tree.Arg], source: str, what: str, example: str, sink: Sink) -> dict[str, Literal] | None:
    """Columns with what each reads, a string; None after a report."""
    columns: dict[str, Literal] = {}
    for arg in args:
        if arg.name is None or not isinstance(arg.value, tree.String):
            mend = _quoted_column(arg, what, example)
            text = f"a column of `{source}` is a name and the {what} it reads"
            sink.report("DL3011", text, arg.span, f'not of the form `column = "{what}"`', footers=[mend])
            return None
        if arg.name.text in columns:
            sink.report("DL3003", f"column `{arg.name.text}` is given twice", arg.span, "given again here")
            return None
        columns[arg.name.text] = arg.value.value
    return columns


def _quoted_column(arg: tree.Arg, what: str, example: str) -> Help:
    if arg.name is None or not isinstance(arg.value, tree.Name):
        return Help("write", code=(f'image = "{example}"',))
    return Help(f"write the {what}'s name in quotes:", (Edit(arg.value.span, f'"{arg.value.id}"'),))


def _inline(call: tree.Call, sink: Sink) -> SourceSpec | None:
    """`inline({ x: [...], y: [...] })`: columns written out, all with equally many rows."""
    record = call.args[0].value if len(call.args) == 1 and call.args[0].name is None else None
    if not isinstance(record, tree.Record) or not record.entries:
        example = Help("write the columns out:", code=("inline({ x: [[0, 1], [1, 0]], y: [1, 0] })",))
        sink.report("DL3011", "`inline` takes a record of columns", call.span, "no columns here", footers=[example])
        return None
    columns: dict[str, Literal] = {}
    first: tuple[tree.Entry, int] | None = None
    for entry in record.entries:
        column = array(entry.value, sink)
        if column is None:
            return None
        if entry.key.text in columns:
            sink.report("DL3003", f"column `{entry.key.text}` is given twice", entry.key.span, "given again here")
            return None
        rows = column.shape[0] if column.shape else 0
        if not rows:
            what = "an empty list" if column.shape else "a single value"
            sink.report(
                "DL3011", f"column `{entry.key.text}` has no rows", entry.value.span, f"{what}, not a list of rows"
            )
            return None
        if first is not None and rows != first[1]:
            _report_lengths(first, entry, rows, sink)
            return None
        first = first or (entry, rows)
        columns[entry.key.text] = column.value
    return SourceSpec("inline", "", columns, call.span)


def _report_lengths(first: tuple[tree.Entry, int], entry: tree.Entry, rows: int, sink: Sink) -> None:
    other, count = first
    sink.report(
        "DL3014",
        f"columns differ in length: `{other.key.text}` has {_rows(count)}, `{entry.key.text}` has {_rows(rows)}",
        entry.value.span,
        _rows(rows),
        Label(other.value.span, _rows(count)),
        footers=[Note("a row is one sample, so every column has one for each")],
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


_READERS: Mapping[str, Callable[[tree.Call, Sink], SourceSpec | None]] = {
    "inline": _inline,
    "npz": _npz,
    "csv": csv_source,
    "text_lines": text_source,
    "idx": _idx,
}
KINDS = tuple(_READERS)


# ---------------------------------------------------------------------------------------------- split


def check_split(setting: Setting, parts: Mapping[str, SourceSpec] | None, sink: Sink) -> dict[str, float]:
    """The shares of the training part that become `val` and `test`; what is at fault is reported and left out."""
    if not isinstance(setting.value, tree.Record):
        example = Help("write the shares:", code=("split = { val: 0.1 }",))
        sink.report("DL3016", "`split` takes a record of shares", setting.value.span, "not a record", footers=[example])
        return {}
    shares: dict[str, float] = {}
    for entry in setting.value.entries:
        share = _share(entry, parts, sink)
        if share is None:
            return {}
        if entry.key.text in shares:
            sink.report("DL3003", f"`{entry.key.text}` is given twice", entry.key.span, "given again here")
            return {}
        shares[entry.key.text] = share
    taken = sum(share for part, share in shares.items() if part != "train")
    written = shares.pop("train", None)
    if taken >= 1:
        sink.report(
            "DL3016",
            f"the shares leave nothing to train on: they sum to {taken:g}",
            setting.value.span,
            "`train` keeps what these leave",
        )
        return {}
    if written is not None and abs(written + taken - 1) > 1e-9:
        sink.report(
            "DL3016",
            f"the shares sum to {written + taken:g}, not to 1",
            setting.value.span,
            "with `train` written, all of the data must be shared out",
            footers=[Help("leave `train` out: it keeps the rest")],
        )
        return {}
    return {part: share for part, share in shares.items() if share > 0}


def _share(entry: tree.Entry, parts: Mapping[str, SourceSpec] | None, sink: Sink) -> float | None:
    """One share, in [0, 1)."""
    key = entry.key
    if key.text not in PARTS:
        _report_part(key, sink)
        return None
    if parts is not None and key.text != "train" and key.text in parts:
        sink.report(
            "DL3017",
            f"part `{key.text}` has a source of its own and a share of `train`",
            key.span,
            "a share here",
            Label(parts[key.text].span, "a source here"),
            footers=[Help("keep one of the two")],
        )
        return None
    share = literal_number(entry.value)
    if share is not None and 0 <= share < 1:
        return float(share)
    footers: list[Note | Help] = []
    if share is not None and 1 < share <= 100:
        footers.append(Help("a share is a part of 1:", (Edit(entry.value.span, f"{share / 100:g}"),)))
    label = "not a number" if share is None else "outside 0 to 1"
    sink.report(
        "DL3016", f"the share of `{key.text}` must be at least 0 and below 1", entry.value.span, label, footers=footers
    )
    return None
