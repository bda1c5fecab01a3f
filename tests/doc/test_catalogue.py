"""Everything a program can name is documented, every example is right, and the generated pages are those of the declarations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dslc.check import builtins, optimizer, settings, sources
from dslc.check.calls import COMPILE_TIME, function_names
from dslc.check.library import LAYERS
from dslc.diagnostics import CODES, DslcError
from dslc.doc import KINDS, Entry, catalogue, find
from dslc.doc.__main__ import DOCS
from dslc.doc.entry import paragraphs
from dslc.doc.examples import check_example
from dslc.doc.markdown import pages
from dslc.doc.text import entry_text, listing, overview
from dslc.ops import OPS
from dslc.ops.initializers import INITIALIZERS
from dslc.ops.optimizers import OPTIMIZERS
from dslc.ops.schedules import SCHEDULES
from dslc.resources import grammar_path

ENTRIES = catalogue()
PACKAGE = DOCS.parent / "dslc"


def _id(entry: Entry) -> str:
    return f"{entry.kind}-{entry.name}".replace(" ", "-")


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        (("function", "loss", "metric"), function_names()),
        (("layer",), LAYERS),
        (("initialiser",), INITIALIZERS),
        (("optimizer",), OPTIMIZERS),
        (("schedule",), SCHEDULES),
        (("data source",), sources.KINDS),
        (("setting",), {*settings.DATA, *settings.TRAIN, *settings.STEP, *settings.TEST, "early_stop"}),
    ],
)
def test_all_that_exists_is_documented_and_nothing_else(kinds: tuple[str, ...], names: list[str]) -> None:
    assert sorted(entry.name for entry in ENTRIES if entry.kind in kinds) == sorted(names)


def test_functions_without_an_operator_are_those_of_the_checker() -> None:
    assert set(builtins.FUNCTIONS) == {name for name in COMPILE_TIME if name not in OPS or not OPS[name].call}


@pytest.mark.parametrize("entry", ENTRIES, ids=_id)
def test_an_example_uses_what_it_is_about_and_checks(entry: Entry) -> None:
    symbol = OPS[entry.name].symbol if entry.kind == "function" and entry.name in OPS else ""
    used = rf"^{entry.name} +=|^{entry.name}\(" if entry.kind == "setting" else rf"\b{entry.name}\("
    assert re.search(used, entry.example, re.MULTILINE) or (symbol and symbol in entry.example)
    _, sink = check_example(entry)
    assert [d.message for d in sink if d.is_error] == []


@pytest.mark.parametrize("entry", ENTRIES, ids=_id)
def test_the_first_sentence_fits_a_line_and_the_signature_has_every_option(entry: Entry) -> None:
    assert entry.summary.endswith(".")
    assert len(entry.summary) <= 120
    assert all(re.search(rf"\b{choice.name}\b", entry.signature) for choice in entry.options)


def test_what_an_example_computes_has_its_type_behind_it() -> None:
    (entry,) = find("concat")
    assert entry_text(entry, 80).endswith(
        "example\n  input x: f32[B, 8]\n  y = concat(x, 2 * x, axis = -1)    # f32[B, 16]"
    )


def test_prose_is_joined_and_equations_stay_as_they_are() -> None:
    (entry,) = find("adam")
    found = paragraphs(entry.doc)
    equations = [text for text, verbatim in found if verbatim]
    assert len(equations) == 1
    assert equations[0].startswith("g <- g + weight_decay * p\nm <- ")
    assert all("\n" not in text for text, verbatim in found if not verbatim)


def test_a_symbol_is_found_like_a_name() -> None:
    assert [entry.name for entry in find("@")] == ["matmul"]
    assert [entry.name for entry in find("-")] == ["sub", "neg"]


def test_a_name_of_several_things_shows_all_of_them() -> None:
    assert [entry.kind for entry in find("zeros")] == ["function", "initialiser"]


def test_an_unknown_name_is_an_error_that_proposes_near_ones() -> None:
    with pytest.raises(DslcError) as caught:
        find("dense")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "DL6040"
    assert [footer.text for footer in diagnostic.footers] == ["did you mean `Dense`?"]


def test_names_of_other_libraries_and_of_later_versions_are_told_apart() -> None:
    with pytest.raises(DslcError, match="there is no documentation of `Linear`") as caught:
        find("Linear")
    assert caught.value.diagnostics[0].footers[0].text == "what other libraries call `Linear` is `Dense` here"
    later = sorted(optimizer.LATER)[0]
    with pytest.raises(DslcError, match=f"`{later}` is not in this version yet"):
        find(later)


def told(name: str, elsewhere: str = "") -> list[str]:
    """The helps for a name that has no entry."""
    with pytest.raises(DslcError) as caught:
        find(name, lambda _: elsewhere)
    return [footer.text for footer in caught.value.diagnostics[0].footers]


def test_an_option_is_found_with_what_it_is_an_option_of() -> None:
    assert told("missing") == ["`missing` is an option of `csv`: see `dslc doc csv`"]
    assert told("momentum")[0].startswith("`momentum` is an option of `BatchNorm`, ")
    (text,) = told("learning_rate")
    assert re.fullmatch(
        r"what other libraries call `learning_rate` is `lr` here, an option of (`\w+`, ){4}`\w+` and \d+ more: see `dslc doc \w+`",
        text,
    )


def test_what_a_name_means_elsewhere_is_told_where_it_has_no_entry() -> None:
    assert told("threads", "it is elsewhere") == ["it is elsewhere"]
    assert told("missing", "it is elsewhere")[1:] == ["it is elsewhere"]
    assert told("Linear", "it is elsewhere") == ["what other libraries call `Linear` is `Dense` here"]


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("data.split", "setting", "split"),
        ("train.net.batch", "setting", "batch"),
        ("csv.missing", "data source", "csv"),
        ("adam.lr", "optimizer", "adam"),
    ],
)
def test_a_dotted_name_is_that_of_a_setting_or_an_option(name: str, kind: str, found: str) -> None:
    assert [(entry.kind, entry.name) for entry in find(name)] == [(kind, found)]


@pytest.mark.parametrize("name", ["data.relu", "data.batch", "csv.mising", "nn.relu6x", "."])
def test_a_dotted_name_of_nothing_is_unknown(name: str) -> None:
    assert told(name)


def test_a_name_of_several_things_says_so_first() -> None:
    assert overview("split", find("split")) == (
        "`split` is 2 things:\n  split(x, parts, axis = -1)  function, compile time\n"
        "  split = none                setting, data blocks"
    )


def test_a_listing_has_a_line_for_each_name_and_no_line_is_wider_than_the_terminal() -> None:
    text = listing(ENTRIES, 80)
    assert max(map(len, text.splitlines())) <= 80
    titles = [title for kind, title in KINDS.items() if any(entry.kind == kind for entry in ENTRIES)]
    assert [title for title in titles if f"{title}\n" not in text and f"{title}:" not in text] == []
    assert len(re.findall(r"^  \w", text, re.MULTILINE)) == len(ENTRIES)


def test_every_name_that_a_message_or_an_explanation_sends_to_dslc_doc_is_there() -> None:
    texts = [code.explain for code in CODES.values()]
    texts += [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if "doc" not in path.parts]
    texts += [path.read_text(encoding="utf-8") for path in [*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]]
    named = {name for text in texts for name in re.findall(r"\bdslc doc ([A-Za-z_]\w*)\b(?![.:/])", text)}
    assert {name for name in named if name not in {entry.name for entry in ENTRIES}} == {"NAME"}


def test_the_grammars_page_has_every_rule_and_nothing_of_the_parser() -> None:
    page = pages()["grammar.md"]
    rules = re.findall(r"^[?_]?(\w+):", grammar_path().read_text(encoding="utf-8"), re.MULTILINE)
    lower = [rule.lstrip("_") for rule in rules if rule.islower()]
    assert len(lower) > 40
    assert re.findall(r"^([a-z_]+):", page, re.MULTILINE) == lower
    assert not re.search(r" -> |_NL|_BLOCK|^\?|\b_[a-z]", page, re.MULTILINE)
    assert set(re.findall(r"\b[A-Z]{2,}\b", page)) == {"NAME", "NUMBER", "STRING", "NEWLINE"}


@pytest.mark.parametrize(("name", "text"), pages().items())
def test_the_pages_are_those_of_the_declarations(name: str, text: str) -> None:
    assert Path(DOCS / name).read_text(encoding="utf-8") == text, "run: python -m dslc.doc"
