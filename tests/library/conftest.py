"""Makes the cases of the goldens, and what compares layers with them, importable by the tests beside this."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "goldens")]
