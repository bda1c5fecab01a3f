"""Makes the cases of the goldens importable by the tests beside this."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "goldens"))
