"""Sizes that a program could not compare are compared when an array arrives."""

from __future__ import annotations

import numpy as np
import pytest

import dslc

TEXT = """dim B, H
model M {
  input  x: f32[B, H]
  output y: f32[B, ceil_div(H, 2)]
  y = x[:, ::2] + 2 * x[:, :floor_div(H, 2)]
}
"""


def test_a_batch_whose_sizes_agree_is_computed() -> None:
    net = dslc.parse(TEXT).model()
    x = np.arange(12, dtype=np.float32).reshape(2, 6)
    np.testing.assert_array_equal(net(x=x)["y"], x[:, ::2] + 2 * x[:, :3])


def test_a_batch_whose_sizes_do_not_agree_is_refused_with_the_warnings_message() -> None:
    program = dslc.parse(TEXT)
    (warning,) = program.warnings
    with pytest.raises(dslc.DslcError) as caught:
        program.model()(x=np.zeros((2, 7), np.float32))
    (found,) = caught.value.diagnostics
    assert found.message.startswith(warning.message)
    assert found.message.endswith("it is [2, 3], not [2, 4], where B = 2, H = 7")
