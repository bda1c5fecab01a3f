"""Programs broken at random: whatever they are, checking ends with diagnostics and never with an exception."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from dslc.check import check_source
from dslc.diagnostics.render import render
from dslc.source import Source

ROOT = Path(__file__).parent.parent.parent
TEXTS = [
    path.read_text(encoding="utf-8")
    for path in sorted([*(ROOT / "models").glob("*.dl"), *(ROOT / "tests" / "bad").glob("[ntl][aiy]*/*.dl")])
    if path.stat().st_size < 4000
]
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def mutant(rng: random.Random) -> str:
    """A program with a few tokens left out, replaced by others of its own, or added."""
    tokens = TOKEN.findall(rng.choice(TEXTS))
    words = [token for token in tokens if not token.isspace()]
    for _ in range(rng.randint(1, 4)):
        place, kind = rng.randrange(len(tokens)), rng.random()
        if kind < 0.3:
            tokens[place] = ""
        elif kind < 0.7:
            tokens[place] = rng.choice(words)
        else:
            tokens.insert(place, f" {rng.choice(words)} ")
    return "".join(tokens)


@pytest.mark.parametrize("seed", range(4))
def test_a_broken_program_ends_in_diagnostics(seed):
    rng = random.Random(seed)
    found = 0
    for _ in range(100):
        _, sink = check_source(Source("mutant.dl", mutant(rng)))
        assert isinstance(render(sink, color=False), str)
        found += bool(sink.found)
    assert found > 50
