"""Names that are proposed in place of one that was not found."""

from __future__ import annotations

from dslc.check.near import proposed
from dslc.diagnostics import Edit, Help
from dslc.source import Source, Span

PLACE = Span(Source("m.dl", "adamm"), 0, 5)


def test_no_name_is_no_help():
    assert proposed((), PLACE) == []


def test_one_name_is_put_in_place_as_it_is_written_there():
    assert proposed(("adam",), PLACE) == [Help("did you mean `adam`?", (Edit(PLACE, "adam"),))]
    assert proposed(("val.loss",), PLACE, '"{}"') == [Help("did you mean `val.loss`?", (Edit(PLACE, '"val.loss"'),))]


def test_several_names_are_the_authors_choice():
    assert proposed(("adam", "adamw"), PLACE) == [Help("did you mean `adam` or `adamw`?", ())]
