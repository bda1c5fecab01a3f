"""Options of the whole test suite."""

from __future__ import annotations

import os

import pytest

# NumPy reads it when it is imported. Tests run side by side, and linear algebra on all cores in each of them slows down all.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite golden files with what came out")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update"))
