"""What `repeat`s and blocks unroll to is limited; what the text holds once is not."""

from __future__ import annotations

import pytest

from dslc.check.unrolling import MOST_EXPRESSIONS

HEAD = "dim B\nmodel M {\n input x: f32[B, 8]\n output y: f32[B, 8]\n"


@pytest.mark.parametrize("stage", ["relu", "leaky_relu(0.1)", "fc: Dense(8)", "repeat(1_000_000) { relu }"])
def test_a_repeat_that_is_too_long_is_refused_before_it_is_unrolled(codes, stage: str) -> None:
    assert codes(HEAD + f"y = x |> s: repeat({10**30}) {{ {stage} }}\n}}") == ["DL0071"]


def test_repeats_and_calls_share_one_limit(codes) -> None:
    turns = MOST_EXPRESSIONS // 3
    assert codes(HEAD + f"h = x |> repeat({turns}) {{ relu }}\ny = h |> repeat({turns}) {{ relu }}\n}}") == ["DL0071"]


def test_going_too_far_is_told_once_and_stops_the_rest_quietly(codes) -> None:
    twice = "".join(
        f"block B{i} {{\n input x: f32[..., 8]\n output y: f32[..., 8]\n y = x |> B{i - 1}() |> B{i - 1}()\n}}\n"
        for i in range(1, 25)
    )
    first = "block B0 {\n input x: f32[..., 8]\n output y: f32[..., 8]\n y = relu(x)\n}\n"
    assert codes(first + twice + HEAD + "h = x |> B24()\nunused = h + 1\ny = h |> repeat(3) { relu }\n}") == ["DL0071"]


def test_a_repeat_of_a_thousand_layers_is_fine(codes) -> None:
    assert codes(HEAD + "y = x |> s: repeat(1_000) { fc: Dense(8) |> relu }\n}") == []
