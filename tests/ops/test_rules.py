"""Type rules of elementwise operators: what they accept, and what they say when they do not."""

from __future__ import annotations

import pytest

from dslc.ops import OPS
from dslc.ops.ir import Attr, Attrs
from dslc.ops.opdef import OpError
from dslc.tensor_type import DType, Shape, TensorType, symbol

B = symbol("B")


def f32(*shape: object) -> TensorType:
    return TensorType(DType.F32, shape)  # type: ignore[arg-type]


def i64(*shape: object) -> TensorType:
    return TensorType(DType.I64, shape)  # type: ignore[arg-type]


def infer(op: str, *types: TensorType, **given: Attr) -> TensorType:
    opdef = OPS[op]
    attrs = Attrs({option.name: option.default for option in opdef.options} | given)
    attrs = opdef.normalize(types, attrs) if opdef.normalize is not None else attrs
    return opdef.infer(types, attrs)


def refusal(op: str, *types: TensorType, **attrs: Attr) -> OpError:
    with pytest.raises(OpError) as caught:
        infer(op, *types, **attrs)
    return caught.value


@pytest.mark.parametrize(
    ("left", "right", "shape"),
    [
        ((B, 3), (3,), (B, 3)),
        ((B, 1), (1, 4), (B, 4)),
        ((), (B,), (B,)),
        ((2 * B + 2,), (2 * (B + 1),), (2 * B + 2,)),
        ((0, 3), (1, 3), (0, 3)),
    ],
)
def test_shapes_broadcast_with_symbolic_sizes(left: Shape, right: Shape, shape: Shape):
    assert infer("add", f32(*left), f32(*right)) == f32(*shape)
    assert infer("lt", f32(*left), f32(*right)) == TensorType(DType.BOOL, shape)


def test_shapes_that_do_not_fit_are_both_named_with_the_axis():
    error = refusal("add", f32(B, 3), f32(B, 4))
    assert str(error) == "shapes do not fit `+`: f32[B, 3] and f32[B, 4] (axis -1: 3 and 4)"
    assert error.operand == 1


def test_different_symbols_do_not_broadcast():
    assert "(axis -2: B and T)" in str(refusal("mul", f32(B, 3), f32(symbol("T"), 3)))


def test_integers_and_floats_do_not_mix():
    assert str(refusal("add", f32(B), i64(B))) == "`+` does not mix element types: f32[B] and i64[B]"
    error = refusal("maximum", f32(B), i64(B))
    assert error.help == "convert one of them with `cast(..., f32)`"


def test_floats_of_different_width_do_not_mix():
    assert "f32[2] and f64[2]" in str(refusal("maximum", f32(2), TensorType(DType.F64, (2,))))


def test_integers_are_not_divided():
    error = refusal("div", i64(B), i64(B))
    assert str(error) == "`/` between i64[B] and i64[B] would lose the fraction"
    assert "cast" in error.help


def test_a_function_of_floats_proposes_a_cast_of_integers():
    error = refusal("exp", i64(B))
    assert str(error) == "`exp` needs floating-point values, got i64[B]"
    assert error.help == "convert it with `cast(..., f32)`"


def test_arithmetic_refuses_truth_values():
    boolean = TensorType(DType.BOOL, (B,))
    assert str(refusal("add", boolean, boolean)) == "`+` needs numbers, got bool[B]"


def test_logic_refuses_numbers():
    assert str(refusal("logical_and", f32(B), f32(B))) == "`and` needs bool values, got f32[B]"


def test_unsigned_numbers_are_not_negated():
    assert str(refusal("neg", TensorType(DType.U8, (B,)))) == "`-` needs signed numbers, got u8[B]"


def test_where_needs_a_condition_of_truth_values():
    error = refusal("where", f32(B), f32(B), f32(B))
    assert str(error) == "`where` chooses by bool values, got f32[B]"
    assert error.operand == 0


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({}, "`clip` needs `low`, `high` or both"),
        ({"low": 2.0, "high": 1.0}, "`clip` needs low <= high, got low = 2.0 and high = 1.0"),
    ],
)
def test_clip_needs_a_range(attrs: dict[str, Attr], message: str):
    assert str(refusal("clip", f32(B), **attrs)) == message


def test_clip_of_integers_needs_whole_bounds():
    assert infer("clip", i64(B), low=0.0, high=5) == i64(B)
    assert str(refusal("clip", i64(B), low=0.5)) == "`clip` of i64[B] needs whole numbers, got low = 0.5"


@pytest.mark.parametrize(
    ("op", "attrs", "part"),
    [
        ("random_bernoulli", {"p": 1.5}, "a probability p from 0 to 1, got 1.5"),
        ("random_uniform", {"low": 1, "high": 0}, "low <= high, got low = 1.0 and high = 0.0"),
        ("random_normal", {"std": -1.0}, "std >= 0, got -1.0"),
    ],
)
def test_distributions_refuse_impossible_numbers(op: str, attrs: dict[str, Attr], part: str):
    assert part in str(refusal(op, f32(B), **attrs))


def test_random_tensors_have_the_type_of_their_model_and_neither_kernel_nor_gradient_nor_export():
    for opdef in OPS.values():
        if opdef.random:
            assert infer(opdef.name, f32(B, 3)) == f32(B, 3)
            assert (opdef.kernel, opdef.vjp, opdef.onnx, opdef.decompose) == (None, None, None, None)


def test_an_integer_given_for_a_real_option_makes_the_same_node():
    opdef = OPS["leaky_relu"]
    assert opdef.normalize is not None
    assert opdef.normalize((f32(B),), Attrs({"slope": 1})) == Attrs({"slope": 1.0})
