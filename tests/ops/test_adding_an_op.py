"""The page on adding an operator is true: its code makes an operator that passes the test of all operators."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import test_all_ops
from sample import Sample

from dslc.ops import OPS
from dslc_runtime.kernels import KERNELS

PAGE = Path(__file__).parents[2] / "docs" / "adding-an-op.md"


@pytest.fixture
def softsign(monkeypatch: pytest.MonkeyPatch) -> list[Sample]:
    """The page's operator put where the page says, for one test."""
    code = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    for block in code:
        exec(block, names)
    monkeypatch.setitem(OPS, "softsign", names["SOFTSIGN"])
    monkeypatch.setitem(KERNELS, "softsign", names["SOFTSIGN_KERNEL"])
    return names["SOFTSIGN_SAMPLES"]


def test_the_worked_example_passes_the_test_of_all_operators(softsign: list[Sample]):
    assert len(softsign) >= 5
    for sample in softsign:
        for narrow in (False, True):
            test_all_ops.test_the_computed_type_is_the_inferred_type("softsign", sample, narrow)
            test_all_ops.test_the_kernel_writes_the_obvious_result_into_dirty_memory("softsign", sample, narrow)
        if sample.smooth:
            test_all_ops.test_the_gradient_is_that_of_central_differences("softsign", sample)
        if sample.onnx:
            test_all_ops.test_onnx_runtime_computes_what_numpy_computes("softsign", sample)


def test_the_worked_example_would_fail_in_place_as_the_page_says(softsign: list[Sample]):
    from dslc.record import replace

    OPS["softsign"] = replace(OPS["softsign"], inplace=(0,))
    with pytest.raises(AssertionError):
        test_all_ops.test_the_kernel_works_in_place_where_the_operator_says_so("softsign", softsign[0], False)
