"""`docs/passes.md` and `docs/rules.md` against the tables of the compiler: what they name is there, and what is there is named."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.leaving_out import passes_by_name, rules
from benchmarks.workloads import WORKLOADS
from dslc.doc.rules import rewriting_passes, rules_page
from dslc.ops import OPS

PAGE = (Path(__file__).parents[2] / "docs" / "passes.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| (\w+) \| [+-]\d+ \|", PAGE, re.MULTILINE)
QUOTED = set(re.findall(r"`([^`\n]+)`", PAGE))


def test_what_is_measured_is_a_rule_or_a_pass_and_a_workload() -> None:
    assert len(ROWS) > 30
    assert [left for left, _ in ROWS if left not in {*rules(), *passes_by_name()}] == []
    assert [workload for _, workload in ROWS if workload not in WORKLOADS] == []


def test_every_pass_is_named() -> None:
    assert [name for name in passes_by_name() if name not in {left for left, _ in ROWS} | QUOTED] == []


def test_every_word_quoted_is_a_rule_an_operator_or_a_pass() -> None:
    words = {word for word in QUOTED if word.isidentifier() and word.islower()}
    assert words - {*rules(), *passes_by_name(), *OPS} == set()


def test_the_page_of_rules_has_all_of_them() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", rules_page(), re.MULTILINE)
    assert sorted(set(listed)) == sorted(rules())
    assert set(rewriting_passes()) <= set(passes_by_name())
