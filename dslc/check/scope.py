"""The state of an elaboration: names in scope, the body under construction, and reports seen from the right place.

A `Scope` is one body of statements being elaborated (a model, a block's call, a train block); a `Context` is one
elaboration as a whole, in one mode. A mistake inside a library block is shown at the user's call of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager

from dslc.check.places import Place, Steps
from dslc.check.typed import Body, Origin, TypedValue
from dslc.check.values import FAILED, Failed, FileScope, Instance, Value
from dslc.diagnostics import Diagnostic, Help, Label, Note, Sink
from dslc.ops.ir import Attr, Attrs
from dslc.record import field, record, replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Dim, DType, TensorType

#: The limit on nesting, in Python frames, and what a level of each kind costs at most.
MAX_DEPTH = 700
EXPRESSION_DEPTH, BRANCH_DEPTH, BLOCK_DEPTH = 5, 5, 8


@record
class Argument:
    """One argument of a call, evaluated; `span` covers its value. A piped one stands before the call."""

    name: tree.Ident | None
    value: Value
    span: Span
    piped: bool = False


@record
class CallSite:
    """A call where it was written: the callee's span and the whole."""

    callee: Span
    span: Span


@record(frozen=False)
class Binding:
    """A name in scope. `kind` is "value", "input", "param", "layer", "let", "hyper" or "dim"."""

    value: Value
    span: Span
    kind: str = "value"
    used: bool = False
    statement: Statement | None = None


@record
class Made:
    """A layer with parameters that a statement made: where, what ("Dense(10)"), and whether a label was written.

    `count` is the number of its parameters' elements.
    """

    span: Span
    kind: str
    labelled: bool
    count: int


@record(frozen=False)
class Statement:
    """The statement being elaborated: what unlabelled layers in it are called, and which layers it holds.

    Attributes:
        name: the name being assigned; "" where there is none.
        layers: the layers with parameters that it made.
        counts: how many unlabelled layers and random calls of a name it has had so far.
    """

    name: str
    span: Span
    layers: list[Made] = field(factory=list[Made])
    counts: dict[str, int] = field(factory=dict[str, int])

    def ordinal(self, name: str) -> int:
        """How many of that name came before in this statement."""
        self.counts[name] = self.counts.get(name, -1) + 1
        return self.counts[name]


@record(frozen=False)
class Leading:
    """What `...` stands for in one call."""

    shape: tuple[Dim, ...]
    origins: tuple[Origin | None, ...]


@record(frozen=False)
class Scope:
    """The names of one body of statements.

    Attributes:
        file: the file the statements stand in.
        definition: the model or block they belong to, or None.
        path: prefix of the keys of parameters made here, "" for a model alone.
        site: where random streams of this call begin: the path with the number of the call.
        dtypes: what `float` and `int` stand for.
        later: statements further down by the names they define.
        labels: labels of stages already used here.
        declared: outputs by name.
        partial: names that only one branch of an `if` defines, so that they are not visible here.
        start: how many values, and how many that can be read, there were before the statement; they keep their names.
        stopped: whether a requirement failed, so that the rest of the body makes no sense.
        unbound: dimensions of a block that no input has bound yet.
        absent: dimensions that nothing binds in this call, and the input left out that would.
        made: the layers with parameters that a statement made, by the name it assigned.
        handed: the layers of hyper-parameters that were applied here without a label, by the hyper-parameter's name.
        buffers: the keys of its buffers by name.
        updated: the buffers that it updates, and where.
        steps: the states, where this is the body of a cell.
    """

    file: FileScope
    definition: tree.Definition | None = None
    path: str = ""
    site: str = ""
    instance: Instance | None = None
    names: dict[str, Binding] = field(factory=dict[str, Binding])
    dtypes: dict[str, DType] = field(factory=dict[str, DType])
    leading: Leading | None = None
    statement: Statement | None = None
    later: dict[str, tree.Stmt] = field(factory=dict[str, tree.Stmt])
    labels: dict[str, Span] = field(factory=dict[str, Span])
    declared: dict[str, tree.OutputStmt] = field(factory=dict[str, tree.OutputStmt])
    partial: dict[str, Span] = field(factory=dict[str, Span])
    start: tuple[int, int] = (0, 0)
    stopped: bool = False
    unbound: set[str] = field(factory=set[str])
    absent: dict[str, tree.Ident] = field(factory=dict[str, tree.Ident])
    made: dict[str, list[Made]] = field(factory=dict[str, "list[Made]"])
    handed: dict[str, Instance] = field(factory=dict[str, Instance])
    buffers: dict[str, str] = field(factory=dict[str, str])
    updated: dict[str, Span] = field(factory=dict[str, Span])
    steps: Steps | None = None

    def define(self, name: str, value: Value, span: Span, kind: str = "value") -> None:
        """Bind a name; the caller has made sure that it is free."""
        self.names[name] = Binding(value, span, kind, statement=self.statement)

    def key(self, name: str) -> str:
        """The path of a name inside this scope."""
        return f"{self.path}.{name}" if self.path else name


@record
class Call:
    """A block being elaborated: which, and the place that asked for it.

    Attributes:
        mend: what mistakes in a library block's numbers may come from; None where nothing looks wrong.
    """

    definition: tree.Definition
    library: bool
    span: Span
    mend: Help | None = None


@record(frozen=False)
class Context:
    """One elaboration in one mode.

    Attributes:
        training: which mode.
        elaborate: applies an instance to arguments (None: to what its `lookup` gives); `blocks` gives it, so that
            expressions can apply blocks whose bodies hold expressions.
        evaluate: the value of an expression; `expressions` gives it to those that look at the parts of one.
        leaves: the parameters that the body reads so far, by key.
        undo: as in `Place`; not None where what is made will be thrown away.
        params: every parameter made so far, by key, and the instance it belongs to.
        keys: the parameters' keys in the order they were made.
        readable: every named value, by its path.
        calls: the blocks being elaborated, outermost first.
        declarations: the statements of the inputs of a model that stands alone, by name.
        mode_read: whether anything asked for `training`; where nothing did, both modes are equal.
        true_division: whether `/` between integers divides as real numbers (in a data field).
        unrolling: the outermost `repeat` or call being unrolled; `unrolled` counts the expressions inside such.
        default_span: a place to blame when there is no better one.
    """

    sink: Sink
    training: bool
    elaborate: Callable[[Context, Instance, Sequence[Argument] | None, CallSite], Value]
    evaluate: Callable[[Context, Scope, tree.Expr], Value]
    body: Body
    params: dict[str, tuple[TypedValue, Instance | None]] = field(
        factory=dict[str, "tuple[TypedValue, Instance | None]"]
    )
    keys: list[str] = field(factory=list[str])
    readable: dict[str, TypedValue] = field(factory=dict[str, TypedValue])
    calls: list[Call] = field(factory=list[Call])
    declarations: dict[str, tree.InputStmt] = field(factory=dict[str, tree.InputStmt])
    mode_read: bool = False
    true_division: bool = False
    depth: int = 0
    unrolling: Span | None = None
    unrolled: int = 0
    leaves: dict[str, TypedValue] = field(factory=dict[str, TypedValue])
    undo: list[tuple[str, TypedValue | None]] | None = None

    def switch(self, place: Place) -> Place:
        """Go on at another place; the one left, to come back to."""
        left = Place(self.body, self.leaves, self.readable, self.declarations, self.undo)
        self.body, self.leaves = place.body, place.leaves
        self.readable, self.declarations, self.undo = place.readable, place.declarations, place.undo
        return left

    def publish(self, path: str, value: TypedValue) -> None:
        """Let a value be read by its path."""
        if self.undo is not None:
            self.undo.append((path, self.readable.get(path)))
        self.readable[path] = value

    @contextmanager
    def throwing_away(self) -> Generator[None]:
        """What is made inside is checked and then forgotten, but for parameters and inputs."""
        start, outer, self.undo = len(self.body.values), self.undo, []
        try:
            yield
        finally:
            self.body.values[start:] = [made for made in self.body.values[start:] if made.op in ("param", "input")]
            for path, before in reversed(self.undo):
                if before is None:
                    del self.readable[path]
                else:
                    self.readable[path] = before
            self.undo = outer

    def leaf(self, key: str) -> TypedValue:
        """A parameter as a value of the body under construction."""
        if key not in self.leaves:
            self.leaves[key] = replace(self.params[key][0])
            self.body.values.append(self.leaves[key])
        return self.leaves[key]

    def emit(
        self,
        op: str,
        inputs: Sequence[TypedValue],
        type: TensorType,
        span: Span,
        origins: tuple[Origin | None, ...] = (),
        **attrs: Attr,
    ) -> TypedValue:
        """Append a value to the body."""
        value = TypedValue(type, op, tuple(inputs), Attrs(attrs), span, "", origins or (None,) * type.rank)
        self.body.values.append(value)
        return value

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *more: Label,
        footers: Sequence[Note | Help] = (),
    ) -> Failed:
        """Report a mistake as the user sees it, once per place, and give the value that silences what follows.

        What goes wrong inside a library block after something else did is a consequence.
        """
        labels = [Label(span, label), *more]
        notes = list(footers)
        outer = _visible(self.calls)
        inside = not _is_user_place(span, self.calls)
        if len(outer) < len(self.calls):
            call = self.calls[len(outer)]
            if inside:
                if source_text(span) not in label:
                    notes.append(Note(f"in the library's `{call.definition.name.text}`: {source_text(span)}"))
                labels[0] = Label(call.span, label)
            notes += [call.mend] if call.mend is not None else []
            labels = [labels[0], *(m for m in labels[1:] if _is_user_place(m.span, self.calls))]
            notes = [note for note in notes if not _edits_library(note, self.calls)]
        if outer:
            name = outer[-1].definition.name.text
            if all(known.span != outer[-1].span for known in labels):
                labels.append(Label(outer[-1].span, f"in this use of `{name}`"))
        place = labels[0].span
        if self.sink.has(code, place) or (inside and self.sink.has_error(place)):
            return FAILED
        self.sink.add(Diagnostic(code, message, tuple(labels), tuple(notes)))
        return FAILED

    def library_call(self, span: Span) -> Call | None:
        """The call of a library block that the user sees, where a span lies inside the library."""
        outer = _visible(self.calls)
        if len(outer) == len(self.calls) or _is_user_place(span, self.calls):
            return None
        return self.calls[len(outer)]

    def seen_at(self, span: Span) -> Span:
        """The place the user sees for a span: inside a library block, the call of it."""
        call = self.library_call(span)
        return span if call is None else call.span

    def report_call(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *more: Label,
        footers: Sequence[Note | Help] = (),
    ) -> Failed:
        """Report what the caller of the innermost block did wrong: the place is the call's, if the span is the block's."""
        if not self.calls:
            return self.report(code, message, span, label, *more, footers=footers)
        call = self.calls[-1]
        inside = span.within(call.definition.span)
        self.calls.pop()
        try:
            if not inside:
                shown = (
                    more if not call.library else [m for m in more if m.span.source is not call.definition.span.source]
                )
                return self.report(code, message, span, label, *shown, footers=footers)
            shown = [] if call.library else [Label(span, label), *more]
            label = f"required by `{call.definition.name.text}`"
            mends = [call.mend] if call.mend is not None else []
            return self.report(code, message, call.span, label, *shown, footers=[*footers, *mends])
        finally:
            self.calls.append(call)


def _visible(calls: Sequence[Call]) -> list[Call]:
    """The calls down to the first library block: what is below it is none of the user's business."""
    seen: list[Call] = []
    for call in calls:
        if call.library:
            break
        seen.append(call)
    return seen


def _is_user_place(span: Span, calls: Sequence[Call]) -> bool:
    return all(span.source is not call.definition.span.source for call in calls if call.library)


def _edits_library(note: Note | Help, calls: Sequence[Call]) -> bool:
    return isinstance(note, Help) and any(not _is_user_place(edit.span, calls) for edit in note.edits)


def source_text(span: Span, longest: int = 60) -> str:
    """What a span covers, on one line, to be quoted in a message."""
    text = " ".join(span.text.split())
    return f"`{text}`" if len(text) <= longest else f"`{text[: longest - 3]}...`"


def origin_notes(e: Context, pairs: Iterable[tuple[Dim | str, Origin | None]], span: Span) -> list[Note]:
    """One note that says where sizes came from: "32 comes from `code = 32` (line 3); 784 comes from input `x` (line 4)"."""
    near = e.seen_at(span)
    parts: list[str] = []
    for size, origin in pairs:
        if origin is None or not _is_user_place(origin.span, e.calls):
            continue
        line = f"line {origin.span.line}"
        if origin.span.source is not near.source:
            line = f"{origin.span.source.name}, {line}"
        part = f"{size} comes from {origin.text} ({line})"
        if part not in parts:
            parts.append(part)
    return [Note("; ".join(parts))] if parts else []
