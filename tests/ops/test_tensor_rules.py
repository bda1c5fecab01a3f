"""Type rules of operators on shapes, products, lookups and losses, with sizes that are symbols; and what they say when refused."""

from __future__ import annotations

import pytest

from dslc.diagnostics.codes import CODES
from dslc.ops import OPS
from dslc.ops.ir import Attr, Attrs
from dslc.ops.opdef import OpError
from dslc.ops.slicing import index_bounds, split_slices
from dslc.tensor_type import Dim, DType, TensorType, floor_div, symbol

B, T = symbol("B"), symbol("T")


def f32(*shape: Dim) -> TensorType:
    return TensorType(DType.F32, shape)


def i64(*shape: Dim) -> TensorType:
    return TensorType(DType.I64, shape)


def infer(op: str, *types: TensorType, **given: Attr) -> TensorType:
    opdef = OPS[op]
    attrs = Attrs({option.name: option.default for option in opdef.options} | given)
    normal = opdef.normalize(types, attrs) if opdef.normalize is not None else attrs
    again = opdef.normalize(types, normal) if opdef.normalize is not None else attrs
    assert normal == again, "normalising twice changes nothing"
    return opdef.infer(types, normal)


def refusal(op: str, *types: TensorType, **attrs: Attr) -> OpError:
    with pytest.raises(OpError) as caught:
        infer(op, *types, **attrs)
    assert caught.value.code in CODES
    text = str(caught.value)
    assert text
    assert text[-1] != "."
    return caught.value


# ---------------------------------------------------------------------------------------------- products


@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        (f32(B, 784), f32(784, 10), f32(B, 10)),
        (f32(B, T, 8), f32(8, 3), f32(B, T, 3)),
        (f32(B, 4, T, 8), f32(B, 4, 8, T), f32(B, 4, T, T)),
        (f32(B, 1, 2, 3), f32(5, 3, 4), f32(B, 5, 2, 4)),
        (f32(B, 2), f32(2), f32(B)),
        (f32(2), f32(2), f32()),
        (f32(2), f32(B, 2, 3), f32(B, 3)),
        (i64(2, 3), i64(3), i64(2)),
    ],
    ids=str,
)
def test_a_product_has_the_rows_of_one_and_the_columns_of_the_other(a: TensorType, b: TensorType, result: TensorType):
    assert infer("matmul", a, b) == result


def test_a_product_names_both_inner_sizes():
    error = refusal("matmul", f32(B, 32), f32(784, 32))
    assert error.code == "DL2001"
    assert str(error) == "inner sizes of `@` differ: 32 and 784"


def test_different_symbols_are_different_inner_sizes():
    assert str(refusal("matmul", f32(2, B), f32(T, 2))) == "inner sizes of `@` differ: B and T"


def test_a_product_with_a_scalar_proposes_times():
    assert refusal("matmul", f32(B, 2), f32()).help == "multiply by a scalar with `*`"


def test_a_product_refuses_leading_axes_that_do_not_broadcast():
    assert "leading axes" in str(refusal("matmul", f32(2, 3, 4), f32(5, 4, 3)))


# ---------------------------------------------------------------------------------------------- reductions


def test_reductions_keep_symbols_of_the_other_axes():
    assert infer("sum", f32(B, T, 3), axes=-1) == f32(B, T)
    assert infer("mean", f32(B, T, 3), axes=(1,), keepdims=True) == f32(B, 1, 3)
    assert infer("max", f32(B, T)) == f32()
    assert infer("argmax", f32(B, 10), axis=-1) == i64(B)


def test_sums_of_integers_and_bools_are_i64():
    assert infer("sum", TensorType(DType.U8, (B, 3)), axes=1) == i64(B)
    assert infer("sum", TensorType(DType.BOOL, (B,))) == i64()


def test_an_axis_out_of_range_is_named_with_those_there_are():
    error = refusal("sum", f32(B, 3), axes=(2,))
    assert error.code == "DL2101"
    assert str(error) == "`sum` has no axis 2 to work on: f32[B, 3] has 2 axes"
    assert error.help == "axes go from 0 to 1, or from -1 (the last) to -2"


def test_an_axis_named_twice_is_refused():
    assert "twice" in str(refusal("sum", f32(B, 3), axes=(1, -1)))


def test_the_largest_of_nothing_is_refused():
    assert "no elements" in str(refusal("max", f32(B, 0), axes=1))


def test_the_mean_of_integers_proposes_a_cast():
    assert "cast" in refusal("mean", i64(B)).help


def test_sum_to_refuses_what_broadcasting_could_not_have_made():
    assert infer("sum_to", f32(B, T, 3), sizes=(1, 3)) == f32(1, 3)
    assert "does not broadcast" in str(refusal("sum_to", f32(B, 3), sizes=(2,)))


# ---------------------------------------------------------------------------------------------- shapes


def test_reshape_compares_products_of_symbolic_sizes():
    assert infer("reshape", f32(B, 28, 28), sizes=(B, 784)) == f32(B, 784)
    assert infer("reshape", f32(B, T, 6), sizes=(B * T, 2, 3)) == f32(B * T, 2, 3)
    assert infer("reshape", f32(B, T, 6), sizes=(-1, 6)) == f32(B * T, 6)
    assert infer("reshape", f32(B, T, 6), sizes=(B, -1)) == f32(B, 6 * T)
    assert infer("reshape", f32(), sizes=(1,)) == f32(1)


def test_reshape_counts_both_sides():
    error = refusal("reshape", f32(B, 28, 28), sizes=(B, 100))
    assert error.code == "DL2103"
    assert str(error) == "f32[B, 28, 28] has 784 * B elements, and [B, 100] holds 100 * B"


def test_reshape_works_out_one_size_only():
    assert "twice" in str(refusal("reshape", f32(4), sizes=(-1, -1)))
    assert "multiple" in str(refusal("reshape", f32(5), sizes=(2, -1)))


def test_flatten_keeps_the_batch_axis():
    assert infer("flatten", f32(B, 28, 28)) == f32(B, 784)
    assert infer("flatten", f32(B, T, 3), start=0) == f32(3 * B * T)
    assert infer("flatten", f32(B)) == f32(B, 1)


def test_transpose_reverses_axes_or_orders_them():
    assert infer("transpose", f32(B, T, 3)) == f32(3, T, B)
    assert infer("transpose", f32(B, T, 3), axes=(0, -1, 1)) == f32(B, 3, T)
    assert "every axis" in str(refusal("transpose", f32(B, T, 3), axes=(0, 1)))


def test_squeeze_refuses_an_axis_that_may_not_be_of_size_one():
    assert infer("squeeze", f32(B, 1), axis=-1) == f32(B)
    assert infer("squeeze", f32(B, 1, T, 1)) == f32(B, T)
    assert str(refusal("squeeze", f32(B, 2), axis=1)) == (
        "`squeeze` takes out axes of size 1, and axis 1 of f32[B, 2] has size 2"
    )
    refusal("squeeze", f32(B, 1), axis=0)


def test_expand_dims_counts_axes_of_the_result():
    assert infer("expand_dims", f32(B, T), axis=-1) == f32(B, T, 1)
    assert infer("expand_dims", f32(B, T), axis=(0, 2)) == f32(1, B, 1, T)
    refusal("expand_dims", f32(B), axis=2)


def test_expand_repeats_along_axes_of_size_one():
    assert infer("expand", f32(10), sizes=(B, 10)) == f32(B, 10)
    assert infer("expand", f32(B, 1), sizes=(-1, T)) == f32(B, T)
    assert "does not expand" in str(refusal("expand", f32(B, 2), sizes=(B, 4)))
    assert "does not expand" in str(refusal("expand", f32(B, 2), sizes=(2,)))


def test_concat_adds_sizes_along_its_axis():
    assert infer("concat", f32(B, T, 3), f32(B, T, 5), axis=-1) == f32(B, T, 8)
    assert infer("concat", f32(B, 3), f32(T, 3), axis=0) == f32(B + T, 3)
    error = refusal("concat", f32(B, 3), f32(T, 4), axis=1)
    assert error.code == "DL2104"
    assert "axis 0: B and T" in str(error)
    assert "equally many axes" in str(refusal("concat", f32(B, 3), f32(B), axis=0))
    assert "element types" in str(refusal("concat", f32(B), i64(B), axis=0))


def test_stack_puts_in_an_axis_as_long_as_there_are_tensors():
    assert infer("stack", f32(B, 3), f32(B, 3), axis=-1) == f32(B, 3, 2)
    assert refusal("stack", f32(B, 3), f32(B, 4), axis=0).code == "DL2104"


def test_full_refuses_a_value_its_type_cannot_hold():
    assert infer("full", sizes=(B, 2), value=1) == f32(B, 2)
    assert str(refusal("full", sizes=(2,), value=0.5, dtype=DType.I32)) == "0.5 is not a value of i32"
    refusal("zeros", sizes=(-1,))


# ---------------------------------------------------------------------------------------------- slices


def sliced(x: TensorType, *rows: tuple[Attr, Attr, Attr]) -> TensorType:
    starts, stops, steps = zip(*rows, strict=True)
    return infer("slice", x, starts=starts, stops=stops, steps=steps)


WHOLE = (None, None, None)


def test_slices_count_from_the_end_and_stay_symbolic():
    assert sliced(f32(B, T), WHOLE, (1, None, None)) == f32(B, T - 1)
    assert sliced(f32(B, T), WHOLE, (-3, None, None)) == f32(B, 3)
    assert sliced(f32(B, T), WHOLE, (None, -1, None)) == f32(B, T - 1)
    assert sliced(f32(B, 7), WHOLE, (1, None, 2)) == f32(B, 3)
    assert sliced(f32(B, T), WHOLE, (None, None, 2)) == f32(B, floor_div(T + 1, 2))
    assert sliced(f32(2 * B), (None, B, None)) == f32(B)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, 12, None), "the slice `1:12` needs at least 12 elements, and axis 1 of f32[B, 10] has 10"),
        ((-11, None, None), "the slice `-11:` needs at least 11 elements, and axis 1 of f32[B, 10] has 10"),
        ((3, 1, None), "the slice `3:1` of axis 1 of f32[B, 10] stops before it starts"),
        ((None, None, -1), "the step of the slice `::-1` must be a positive integer"),
        ((None, None, 0), "the step of the slice `::0` must be a positive integer"),
    ],
)
def test_slices_do_not_clamp(row: tuple[Attr, Attr, Attr], message: str):
    with pytest.raises(OpError) as caught:
        sliced(f32(B, 10), WHOLE, row)
    assert str(caught.value) == message
    assert caught.value.code == "DL2102"


def test_a_slice_that_cannot_be_decided_is_allowed():
    assert sliced(f32(B, T), WHOLE, (0, 3, None)) == f32(B, 3)


def test_an_index_is_a_slice_of_one_element():
    assert index_bounds(f32(B, 10), 1, -1) == (9, 10)
    assert index_bounds(f32(B, T), 1, -1) == (T - 1, T)
    for index in (10, -11):
        with pytest.raises(OpError, match=f"no index {index}"):
            index_bounds(f32(B, 10), 1, index)


def test_split_gives_equal_parts_or_the_sizes_named():
    halves = split_slices(f32(B, 2 * T), 2, -1)
    assert [infer("slice", f32(B, 2 * T), **attrs) for attrs in halves] == [f32(B, T), f32(B, T)]
    parts = split_slices(f32(B, 10), (3, 7), 1)
    assert [infer("slice", f32(B, 10), **attrs) for attrs in parts] == [f32(B, 3), f32(B, 7)]


@pytest.mark.parametrize(
    ("parts", "words"), [(3, "equal parts"), ((3, 6), "add up to 9"), (0, "a number"), ((3, 9), "12")]
)
def test_split_refuses_parts_that_do_not_add_up(parts: Attr, words: str):
    with pytest.raises(OpError, match=words):
        split_slices(f32(B, 10), parts, 1)


# ---------------------------------------------------------------------------------------------- lookups


def test_lookups_put_rows_in_the_place_of_ids():
    assert infer("gather", f32(100, 8), i64(B, T)) == f32(B, T, 8)
    assert infer("one_hot", i64(B), classes=10) == f32(B, 10)


@pytest.mark.parametrize("op", ["gather", "cross_entropy", "nll"])
def test_ids_are_integers(op: str):
    error = refusal(op, f32(B, 10), f32(B))
    assert error.code == "DL2010"
    assert error.operand == 1
    assert "i64" in error.help


def test_one_hot_needs_a_class():
    assert refusal("one_hot", i64(B), classes=0).code == "DL2007"


# ---------------------------------------------------------------------------------------------- losses, metrics

PAIRED = ["mse", "mae", "huber", "bce", "bce_logits", "kl_div", "hinge"]


@pytest.mark.parametrize("op", PAIRED)
def test_losses_are_scalars_unless_told_otherwise(op: str):
    assert infer(op, f32(B, 3), f32(B, 3)) == f32()
    assert infer(op, f32(B, 3), f32(B, 3), reduction="none") == f32(B, 3)
    assert infer(op, f32(B, 3), f32()) == f32()


@pytest.mark.parametrize("op", PAIRED)
def test_losses_refuse_shapes_that_would_broadcast(op: str):
    error = refusal(op, f32(B, 1), f32(B))
    assert error.code == "DL2105"
    assert str(error) == f"`{op}` compares tensors of the same shape, got f32[B, 1] and f32[B]"
    assert error.help == "take the axis of size 1 out of the prediction with `squeeze(..., axis = -1)`"
    assert "of the target" in refusal(op, f32(B), f32(B, 1)).help
    assert refusal(op, f32(B, 3), f32(B, 2)).help == ""


@pytest.mark.parametrize("op", PAIRED)
def test_losses_propose_a_cast_for_an_integer_target(op: str):
    assert "cast(..., f32)" in refusal(op, f32(B), i64(B)).help


def test_class_ids_lack_the_class_axis():
    assert infer("cross_entropy", f32(B, 10), i64(B)) == f32()
    assert infer("cross_entropy", f32(B, 10, T), i64(B, T), axis=1, reduction="none") == f32(B, T)
    assert infer("cross_entropy", f32(B, 10), f32(B, 10)) == f32()
    error = refusal("cross_entropy", f32(B, 10), i64(B, 1))
    assert error.code == "DL2105"
    assert str(error) == "`cross_entropy` needs one id per row of f32[B, 10], that is i64[B], but got i64[B, 1]"
    assert "squeeze" in error.help
    assert "one-hot" in refusal("cross_entropy", f32(B, 10), i64(B, 10)).help


@pytest.mark.parametrize(("op", "instead"), [("cross_entropy", "bce_logits"), ("accuracy", "binary_accuracy")])
def test_one_class_is_no_choice(op: str, instead: str):
    error = refusal(op, f32(B, 1), i64(B))
    assert str(error) == f"`{op}` chooses between classes, and f32[B, 1] has only one on axis 1"
    assert instead in error.help


def test_label_smoothing_lies_between_zero_and_one():
    assert "between 0 and 1" in str(refusal("cross_entropy", f32(B, 10), i64(B), label_smoothing=1.5))


def test_huber_needs_a_positive_delta():
    assert "must be positive" in str(refusal("huber", f32(B), f32(B), delta=0))


def test_a_batch_mean_needs_a_batch():
    assert "no batch" in str(refusal("kl_div", f32(), f32(), reduction="batchmean"))


def test_metrics_are_f32():
    assert infer("accuracy", f32(B, 10), i64(B)) == f32()
    assert infer("accuracy", TensorType(DType.F64, (B, 10)), i64(B)) == f32()
    assert infer("binary_accuracy", f32(B, 1), i64(B, 1)) == f32()
    assert refusal("accuracy", f32(B, 10), i64(B, 1)).code == "DL2105"
    assert refusal("binary_accuracy", f32(B, 1), i64(B)).code == "DL2105"


# ---------------------------------------------------------------------------------------------- flat vectors


def test_segments_lie_within_the_vector():
    assert infer("segment", f32(10), offset=4, sizes=(2, 3)) == f32(2, 3)
    assert "ends at 11" in str(refusal("segment", f32(10), offset=5, sizes=(6,)))
    assert infer("pack", f32(2, 3), f32(), f32(B)) == f32(B + 7)
