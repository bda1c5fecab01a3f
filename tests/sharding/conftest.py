"""Makes graphs and samples of other tests, and what runs shards, importable by the tests beside this."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), *(str(HERE.parent / name) for name in ("backends", "ops"))]
