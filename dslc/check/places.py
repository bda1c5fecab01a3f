"""Where an elaboration puts what it makes: a body under construction. The body of a cell is one inside another.

Plain data; `Context.switch` changes between them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.check.typed import Body, TypedValue
from dslc.check.values import Value
from dslc.record import field, record
from dslc.source import Span
from dslc.syntax import tree


@record(frozen=False)
class Place:
    """Where an elaboration puts what it makes: the body under construction, and what can be read of it.

    Attributes:
        leaves: the parameters that the body reads, by key.
        readable: every named value, by its path.
        declarations: the statements of its inputs, by name.
        undo: where what is made will be thrown away, the paths given new values since, with the values before; else None.
    """

    body: Body
    leaves: dict[str, TypedValue] = field(factory=dict[str, TypedValue])
    readable: dict[str, TypedValue] = field(factory=dict[str, TypedValue])
    declarations: dict[str, tree.InputStmt] = field(factory=dict[str, tree.InputStmt])
    undo: list[tuple[str, TypedValue | None]] | None = None


@record(frozen=False)
class Steps:
    """The states of a cell whose body is being elaborated.

    Attributes:
        outside: where the values from before the first step are made.
        init: initial values given to `scan`, by state.
        states: the states by name: the value before a step, and the value before the first one.
        after: the values after a step, and where each was written.
        meant: states whose `next` is there with a mistake in it, which is reported.
    """

    outside: Place
    init: Mapping[str, tuple[Value, Span]]
    states: dict[str, tuple[TypedValue, TypedValue]] = field(factory=dict[str, "tuple[TypedValue, TypedValue]"])
    after: dict[str, tuple[Value, Span]] = field(factory=dict[str, "tuple[Value, Span]"])
    meant: set[str] = field(factory=set[str])
