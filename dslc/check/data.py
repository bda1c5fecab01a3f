"""Data blocks -> `TypedData`: sources, fields with their per-sample types, and how parts are split off.

Input: the syntax tree of a data block. No file is opened: fields that read files are elaborated by `fields.field_body` once the
columns' types are known, those that read inline data at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.columns import check_columns, read_columns
from dslc.check.elaborate import context as new_context
from dslc.check.field_windows import check_windows, windows_reach
from dslc.check.fields import check_field
from dslc.check.near import near, proposed, quoted
from dslc.check.scope import Scope
from dslc.check.settings import DATA, Setting, collect, literal_number, missing
from dslc.check.sources import check_sources, check_split
from dslc.check.typed import FieldSpec, SourceSpec, TypedData
from dslc.check.types import tensor_type
from dslc.check.values import FileScope
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.syntax import tree
from dslc.tensor_type import TensorType, symbols


def check_data(file: FileScope, decl: tree.DataDecl, sink: Sink) -> TypedData | None:
    """The data block, or None where a mistake in it (reported) leaves nothing to join with.

    A field whose expression is at fault still has its declared type, so that train blocks can be checked against it.
    """
    settings = collect("data", decl.body, DATA, (tree.FieldStmt,), sink)
    sources = None
    if "source" in settings:
        sources = check_sources(settings["source"], sink)
    else:
        missing("data", "source", decl, 'source = npz("data.npz")', sink)
    fields = _fields(file, decl, sources, sink)
    split = check_split(settings["split"], sources, sink) if "split" in settings else {}
    seed = whole(settings["shuffle_seed"], 0, sink) if "shuffle_seed" in settings else 0
    stratify = _stratify(settings["stratify"], fields, sink) if "stratify" in settings else ""
    if fields is None:
        return None
    data = TypedData(decl.name.text, sources or {}, fields, split, seed or 0, stratify, decl.doc, decl.name.span)
    if sources is not None:
        _check_values(file, data, settings, sink)
    return data


def _check_values(file: FileScope, data: TypedData, settings: Mapping[str, Setting], sink: Sink) -> None:
    """Check the fields' expressions, and that samples made of windows go together."""
    checked = {name: check_field(file, data, field, sink) for name, field in data.fields.items()}
    found = {name: body for name, body in checked.items() if body is not None}
    check_windows(found, sink)
    if windows_reach(found.values()):
        _check_series(data, settings, sink)


def _check_series(data: TypedData, settings: Mapping[str, Setting], sink: Sink) -> None:
    """Report what has no meaning where samples are windows over neighbouring rows."""
    for name in ("stratify", "shuffle_seed"):
        if name in settings:
            text = f"`{name}` has no meaning for windows: a series is split in its order"
            mend = Help("leave it out: the last rows become `val`, and after them `test`")
            sink.report("DL3135", text, settings[name].name.span, "not for a series", footers=[mend])
    for source in data.sources.values():
        if source.options.get("missing") == "drop":
            text = "rows of a series cannot be left out: windows would reach over the gaps"
            mend = Help("give a number that stands for what is missing: `missing = 0`, or fill the cells in")
            sink.report("DL3135", text, source.span, 'leaves out rows by `missing = "drop"`', footers=[mend])


def _fields(
    file: FileScope, decl: tree.DataDecl, sources: Mapping[str, SourceSpec] | None, sink: Sink
) -> dict[str, FieldSpec] | None:
    """The fields by name, or None where one has no type."""
    found: dict[str, FieldSpec] = {}
    good = True
    statements = [s for s in decl.body if isinstance(s, tree.FieldStmt)]
    for statement in statements:
        name = statement.name
        if name.text in found:
            first = Label(found[name.text].span, "first here")
            sink.report("DL3003", f"field `{name.text}` is given twice", name.span, "given again here", first)
            continue
        declared = _type(file, statement.type, sink)
        columns = read_columns(statement.value, sink)
        if sources is not None and columns is not None and not check_columns(columns, sources, sink):
            columns = None
        if declared is None:
            good = False
            continue
        found[name.text] = FieldSpec(name.text, declared, columns or (), statement.value, name.span)
    if not statements:
        mend = Help("declare what a sample holds:", code=('  field x: f32[2] = source["x"]',))
        sink.report("DL3022", f"data `{decl.name.text}` has no fields", decl.name.span, "holds nothing", footers=[mend])
        good = False
    return found if good else None


def _type(file: FileScope, written: tree.TypeExpr, sink: Sink) -> TensorType | None:
    """The type of one sample, all sizes known, or None after a report."""
    found = tensor_type(new_context(sink, training=False), Scope(file), written)
    if found is not None and any(symbols(size) for size in found.shape):
        sink.report(
            "DL3090",
            "a field with a run-time size is not supported by this version yet",
            written.span,
            "not supported yet",
            footers=[Note("a field is one sample, without a batch axis, and all samples have the same shape")],
        )
        return None
    return found


def whole(setting: Setting, least: int, sink: Sink) -> int | None:
    """A setting that is a whole number of at least `least` (0 or 1), or None after a report."""
    value = literal_number(setting.value)
    if isinstance(value, int) and value >= least:
        return value
    words = "a positive whole number" if least else "a whole number that is not negative"
    label = f"this is {value:g}" if value is not None else "this is not a number"
    sink.report("DL3004", f"`{setting.name.text}` takes {words}", setting.value.span, label)
    return None


def _stratify(setting: Setting, fields: Mapping[str, FieldSpec] | None, sink: Sink) -> str:
    """The field to stratify by, or ""."""
    value = setting.value
    if isinstance(value, tree.Constant) and value.value is None:
        return ""
    name = value.id if isinstance(value, tree.Name) else ""
    if fields is None:
        return ""
    field = fields.get(name)
    if field is None:
        footers = proposed(near(name, fields), value.span)
        footers.append(Note(f"fields of this block: {quoted(fields, 'and')}"))
        label = "no field has this name" if name else "not the name of a field"
        sink.report("DL3021", "`stratify` takes the name of a field", value.span, label, footers=footers)
        return ""
    if field.type.shape or field.type.dtype.is_float:
        sink.report(
            "DL3021",
            "`stratify` needs a field with one class id for each sample",
            value.span,
            f"`{name}` is {field.type}",
            Label(field.span, "declared here"),
            footers=[Note("class ids are of an integer type, or bool: `i64[]`")],
        )
        return ""
    return name
