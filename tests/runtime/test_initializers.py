"""Initialisers against their formulas, and against each other."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from dslc.ops.initializers import INITIALIZERS as LANGUAGE
from dslc_runtime.initializers import INITIALIZERS, fans, initialize

IN, OUT = 300, 200


def made(
    name: str,
    shape: tuple[int, ...] = (IN, OUT),
    dtype: str = "float64",
    key: str = "fc1.weight",
    seed: int = 0,
    **options: float,
) -> np.ndarray:
    return initialize(key, shape, dtype, name, options, None, seed)


@pytest.mark.parametrize(
    ("name", "options", "bound"),
    [
        ("uniform", {"low": -0.5, "high": 0.5}, 0.5),
        ("glorot_uniform", {}, sqrt(6 / (IN + OUT))),
        ("glorot_uniform", {"gain": 2.0}, 2 * sqrt(6 / (IN + OUT))),
        ("he_uniform", {}, sqrt(6 / IN)),
        ("kaiming_uniform", {"a": sqrt(5)}, 1 / sqrt(IN)),
        ("kaiming_uniform", {"a": 0.2}, sqrt(6 / (1.04 * IN))),
        ("lecun_uniform", {}, sqrt(3 / IN)),
        ("uniform_fan_in", {}, 1 / sqrt(IN)),
    ],
)
def test_uniform_initialisers_fill_their_bounds(name: str, options: dict, bound: float) -> None:
    w = made(name, **options)
    assert np.abs(w).max() <= bound
    assert np.abs(w).max() > 0.999 * bound
    assert abs(w.std() - bound / sqrt(3)) < 0.01 * bound
    assert abs(w.mean()) < 0.01 * bound


@pytest.mark.parametrize(
    ("name", "options", "std"),
    [
        ("normal", {"mean": 0.0, "std": 0.02}, 0.02),
        ("glorot_normal", {}, sqrt(2 / (IN + OUT))),
        ("he_normal", {}, sqrt(2 / IN)),
        ("kaiming_normal", {"a": 1.0}, sqrt(1 / IN)),
        ("lecun_normal", {}, sqrt(1 / IN)),
    ],
)
def test_normal_initialisers_have_their_spread(name: str, options: dict, std: float) -> None:
    w = made(name, **options)
    assert abs(w.std() - std) < 0.01 * std
    assert abs(w.mean()) < 0.02 * std
    assert np.abs(w).max() > 3.5 * std


def test_a_truncated_normal_stays_within_two_deviations() -> None:
    w = made("truncated_normal", mean=1.0, std=0.5)
    assert np.abs(w - 1).max() <= 1.0
    assert abs(w.std() - 0.5 * 0.87962566) < 0.003
    assert abs(w.mean() - 1) < 0.005


def test_a_bias_takes_the_fan_in_of_its_weight() -> None:
    b = made("uniform_fan_in", (10_000,), fan_in=64)
    assert 0.124 < np.abs(b).max() <= 0.125


@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        ((3, 5), {}, (3, 5)),
        ((2, 3, 5), {}, (6, 10)),
        ((8, 4, 3, 3), {"layout": "out_in"}, (36, 72)),
        ((7,), {}, (7, 7)),
        ((), {}, (1, 1)),
        ((3, 5), {"fan_in": 9}, (9, 5)),
    ],
)
def test_fans_follow_the_layout(shape: tuple[int, ...], options: dict, expected: tuple[int, int]) -> None:
    assert fans(shape, options) == expected


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (4, 3, 2)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape: tuple[int, ...]) -> None:
    w = made("orthogonal", shape).reshape(shape[0], -1)
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    assert np.allclose(product, np.eye(len(product)), atol=1e-12)


def test_the_simple_ones_are_what_they_say() -> None:
    assert (made("zeros") == 0).all()
    assert (made("ones") == 1).all()
    assert initialize("k", (2,), "float32", "constant", {"value": 3}).tolist() == [3, 3]
    assert np.array_equal(made("identity", (3, 4), gain=2.0), 2 * np.eye(3, 4))
    assert initialize("k", (), "float32", "literal", {}, 4).dtype == np.float32
    assert initialize("k", (2, 2), "float32", "literal", {}, ((0, 1), (2, 3))).tolist() == [[0, 1], [2, 3]]
    assert initialize("k", (2, 3), "int64", "literal", {}, 7).tolist() == [[7, 7, 7]] * 2


def test_a_value_depends_on_seed_and_key_alone() -> None:
    assert np.array_equal(made("normal"), made("normal"))
    assert not np.array_equal(made("normal"), made("normal", key="fc2.weight"))
    assert not np.array_equal(made("normal"), made("normal", seed=1))


def test_single_precision_is_double_precision_rounded() -> None:
    assert np.array_equal(made("he_normal", dtype="float32"), made("he_normal").astype(np.float32))


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_every_initialiser_gives_the_shape_and_type_asked_for(name: str) -> None:
    w = initialize("k", (4, 6), "float32", name, {"value": 1.0})
    assert w.shape == (4, 6)
    assert w.dtype == np.float32
    assert np.isfinite(w).all()


def test_the_language_and_the_runtime_know_the_same_initialisers() -> None:
    assert set(LANGUAGE) == set(INITIALIZERS)


@pytest.mark.parametrize("name", sorted(LANGUAGE))
def test_the_languages_defaults_are_the_runtimes(name: str) -> None:
    declared = {option.name: option.default for option in LANGUAGE[name].options if not option.required}
    required = {option.name: 2.0 for option in LANGUAGE[name].options if option.required}
    assert np.array_equal(
        initialize("k", (4, 6), "f8", name, declared | required), initialize("k", (4, 6), "f8", name, required)
    )
