"""What to tell about a token that does not fit: the first of the rules that recognises the mistake answers.

A rule is a function of the place that answers a diagnostic or None. Rules only look; what the parser does next does not
depend on them. Their order matters: narrow ones stand before wide ones, and the last one always answers.
"""

from __future__ import annotations

from collections.abc import Callable

from dslc.diagnostics import Diagnostic, Help
from dslc.source import Source
from dslc.syntax import limits
from dslc.syntax.lalr import Unexpected
from dslc.syntax.mistakes import foreign, places, signs, values
from dslc.syntax.mistakes.place import Place
from dslc.syntax.words import expected_words, found

_Rule = Callable[[Place], Diagnostic | None]


def explain(problem: Unexpected, source: Source) -> Diagnostic:
    """The diagnostic for an unexpected token."""
    place = Place(problem, source)
    return next(told for rule in _RULES if (told := rule(place)) is not None)


def _over_limit(p: Place) -> Diagnostic | None:
    if p.problem.over is None:
        return None
    code, span = p.problem.over
    if code == "DL0033":
        data = Help("keep data in a file, and name the file in a `data` block")
        return p.say(code, f"more than {limits.LIST_ITEMS:_} items", "", data, span=span)
    mend = Help("name a part of it, and go on with the name")
    return p.say(
        "DL0030",
        "this expression is nested too deep",
        "too many operators, calls or `if`s",
        mend,
        span=span,
    )


def _plain(p: Place) -> Diagnostic:
    words = expected_words(p.expected)
    return p.say("DL0001", f"expected {words}, {found(p.token)}", f"expected {words}" if len(words) < 50 else "")


_RULES: tuple[_Rule, ...] = (
    _over_limit,
    foreign.foreign_construct,
    foreign.method_alone,
    foreign.import_of_code,
    foreign.python_block,
    foreign.operator_assignment,
    places.reserved_word,
    places.line_begins_with_operator,
    places.misplaced,
    values.number_without_zero,
    values.plus_sign,
    values.missing_stage,
    signs.single_equals,
    signs.double_equals,
    signs.colon_for_equals,
    signs.equals_for_colon,
    places.missing_name,
    places.unnamed_block,
    signs.setting_with_colon,
    signs.comma_at_the_end,
    signs.missing_type,
    signs.type_without_shape,
    signs.shape_without_type,
    signs.missing_colon,
    places.missing_code,
    places.lone_else,
    places.then_in_statement,
    places.lone_repeat,
    signs.one_tilde,
    places.expectation,
    values.missing_value,
    signs.one_bar,
    values.chained,
    values.pipe_needs_parentheses,
    values.choice_needs_parentheses,
    foreign.python_choice,
    signs.missing_equals,
    signs.missing_pipe,
    places.value_alone,
    places.unquoted,
    places.missing_block,
    signs.missing_comma,
    places.two_statements,
    _plain,
)
