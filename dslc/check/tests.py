"""Test blocks -> `TypedTest`: models with given inputs, or a training run, and what is expected of them.

Input: the syntax tree of a test and the file's typed train blocks. Output: one body in inference mode that holds the values of
all expectations. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.assigning import statement_value
from dslc.check.data import whole
from dslc.check.elaborate import context as new_context
from dslc.check.expectations import Setting, check_expectation
from dslc.check.givens import Given, check_givens
from dslc.check.near import near, proposed, quoted
from dslc.check.scope import Context, Scope, Statement
from dslc.check.settings import TEST, collect
from dslc.check.typed import Body, Expectation, TypedTest, TypedTrain
from dslc.check.uses import Lookup, Use, add_input, bind, check_uses, starts_of
from dslc.check.values import FileScope, Value
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.diagnostics.codes import CODES, Severity
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree

_STATEMENTS = (tree.UseStmt, tree.TrainRef, tree.GivenStmt, tree.LetStmt, tree.ExpectStmt, tree.ExpectErrorStmt)


def check_test(
    file: FileScope, decl: tree.TestDecl, trains: Mapping[str, TypedTrain | None], sink: Sink
) -> TypedTest | None:
    """The test, or None after a report. Mistakes that the test expects are not reported; it says whether they were made.

    Args:
        trains: the file's train blocks by name; None for one whose mistakes are reported already.
    """
    expected = [s for s in decl.body if isinstance(s, tree.ExpectErrorStmt)]
    if not expected:
        return _check(file, decl, trains, sink)
    if not _stands_alone(decl, expected, sink) or not _is_code(expected[0].code, sink):
        return None
    code = expected[0].code.text
    inner = Sink()
    test = _check(file, decl, trains, inner)
    made = [d for d in inner if d not in sink.found]
    found = any(d.code == code for d in made)
    for diagnostic in made if not found else ():
        sink.add(replace(diagnostic, footers=(*diagnostic.footers, Note(f"the test expects {code} instead"))))
    test = test or _nothing(decl)
    return TypedTest(
        test.name, test.uses, test.body, test.given, (), test.seed, test.trains, test.span, error=code, found=found
    )


def _nothing(decl: tree.TestDecl) -> TypedTest:
    return TypedTest(decl.name.value, {}, Body(training=False), {}, (), 0, "", decl.name.span)


def _stands_alone(decl: tree.TestDecl, expected: list[tree.ExpectErrorStmt], sink: Sink) -> bool:
    others = [s for s in decl.body if isinstance(s, tree.ExpectStmt)]
    if not others and len(expected) == 1:
        return True
    second = others[0] if others else expected[1]
    sink.report(
        "DL3064",
        "`expect error` must be the only expectation of a test",
        second.span,
        "another expectation",
        Label(expected[0].span, "the error is expected here"),
        footers=[Help("make two tests of it")],
    )
    return False


def _is_code(code: tree.Ident, sink: Sink) -> bool:
    """Whether a code is that of an error."""
    if code.text in CODES and CODES[code.text].severity is Severity.ERROR:
        return True
    if code.text in CODES:
        message, label = f"`{code.text}` is a warning, and only errors can be expected", "not an error"
    else:
        message, label = f"there is no error `{code.text}`", "not a code"
    footers = proposed(near(code.text, CODES) if code.text not in CODES else ())
    sink.report("DL3065", message, code.span, label, footers=footers)
    return False


# ---------------------------------------------------------------------------------------------- the body


def _check(
    file: FileScope, decl: tree.TestDecl, trains: Mapping[str, TypedTrain | None], sink: Sink
) -> TypedTest | None:
    before = sum(d.is_error for d in sink)
    settings = collect("test", decl.body, TEST, _STATEMENTS, sink)
    seed = whole(settings["seed"], 0, sink) if "seed" in settings else 0
    if not any(isinstance(s, tree.ExpectStmt | tree.ExpectErrorStmt) for s in decl.body):
        sink.report("DL3068", "a test without `expect` cannot fail", decl.name.span, "expects nothing")
    reference = _reference(decl, trains, sink)
    train = trains.get(reference.name.text) if reference is not None else None
    found = file.train(train.name) if train is not None else None
    home, body = (found[0], found[1].body) if found is not None else (file, decl.body)
    uses = check_uses(home, body, sink)
    if uses is None or (reference is not None and train is None):
        return None
    context = new_context(sink, training=False)
    givens = check_givens(new_context(sink, training=False), decl.body, uses)
    if givens is None:
        return None
    expectations = _expectations(file, decl, context, uses, givens, train)
    if sum(d.is_error for d in sink) > before:
        return None
    models = {name: use.model for name, use in uses.items()} if train is None else {}
    values = {name: given.value for name, given in givens.items()}
    name = train.name if train is not None else ""
    return TypedTest(
        decl.name.value,
        models,
        context.body,
        values,
        tuple(expectations),
        seed or 0,
        name,
        decl.name.span,
        starts=starts_of(uses) if train is None else (),
    )


def _reference(decl: tree.TestDecl, trains: Mapping[str, TypedTrain | None], sink: Sink) -> tree.TrainRef | None:
    """The `train name` of a test, if it has one that is right."""
    references = [s for s in decl.body if isinstance(s, tree.TrainRef)]
    own = next((s for s in decl.body if isinstance(s, tree.UseStmt)), None)
    if not references:
        return None
    first = references[0]
    if len(references) > 1:
        label = Label(first.span, "the first run")
        sink.report("DL3066", "a test trains at most once", references[1].span, "a second run", label)
    if own is not None:
        label = Label(first.span, "brings its models into the test")
        message = "a test with `train` takes the models of the run"
        mend = Help("make two tests of it")
        sink.report("DL3066", message, own.span, "a model of its own", label, footers=[mend])
    if first.name.text in trains:
        return first
    footers = proposed(near(first.name.text, trains), first.name.span)
    footers.append(
        Note(f"train blocks of this file: {quoted(trains, 'and')}" if trains else "this file has no train block")
    )
    message = f"there is no train block `{first.name.text}`"
    sink.report("DL3066", message, first.name.span, "not found", footers=footers)
    return first


def _expectations(
    file: FileScope,
    decl: tree.TestDecl,
    context: Context,
    uses: Mapping[str, Use],
    givens: Mapping[str, Given],
    train: TypedTrain | None,
) -> list[Expectation]:
    """The expectations that are right, with their values in the body of `context`."""
    scope = Scope(file)
    for name, use in uses.items():
        path = name if len(uses) > 1 else ""
        bind(context, scope, use, path, _lookup(context, use, givens))
    test = Setting(context, scope, uses, train)
    found: list[Expectation] = []
    for statement in decl.body:
        if isinstance(statement, tree.LetStmt):
            value = statement_value(context, scope, statement.name.text, statement.value, statement.span)
            scope.define(statement.name.text, value, statement.name.span, "let")
        elif isinstance(statement, tree.ExpectStmt):
            scope.statement = Statement(f"expect{len(found)}", statement.span)
            expectation = check_expectation(test, statement)
            found += [expectation] if expectation is not None else []
    return found


def _lookup(context: Context, use: Use, givens: Mapping[str, Given]) -> Lookup:
    """What binds a model's inputs to the givens of the same name."""

    def lookup(name: str, _: tree.InputStmt, span: Span) -> Value:
        given = givens.get(name)
        if given is not None:
            return add_input(context, name, given.type, given.span)
        wanted = use.model.body.inputs[name].type
        return context.report(
            "DL3061",
            f"input `{name}` of `{use.model.name}` has no value in this test",
            span,
            f"needs `{name}`",
            Label(use.name.span, f"takes {wanted}"),
            footers=[Help("give it one:", code=(f"given {name} = {_example(wanted.shape)}",))],
        )

    return lookup


def _example(shape: tuple[object, ...]) -> str:
    sizes = ", ".join(str(size) if isinstance(size, int) else "2" for size in shape)
    return f"zeros([{sizes}])" if shape else "0"
