"""Makes the graphs beside the tests and the cases of goldens importable by them."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "backends"), str(TESTS), str(TESTS / "goldens")]
