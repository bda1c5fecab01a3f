"""Makes the hand-written job importable by the tests beside it, and a folder for its run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dslc_runtime.run_folder import RunFolder, create_run

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path / "run", "model M {}", {"seed": 3})
