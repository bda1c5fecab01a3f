"""What each rewriting rule makes of what, and what it must leave alone."""

from __future__ import annotations

# A vector cut in two.
_CUT = (
    "a: f32[1] = slice(v; starts=(0,); stops=(1,); steps=(1,))\n"
    "b: f32[3] = slice(v; starts=(1,); stops=(4,); steps=(1,))\n"
)

# Rule -> (before, after) in the short form; after "= x" is the leaf x itself.
CASES: dict[str, list[tuple[str, str]]] = {
    "fold": [
        ("a: f32[] = add(#2.0; #3.0)", "a: f32[] = constant(value=5.0)"),
        ("a: bool[] = gt(#2.0; #3.0)", "a: bool[] = constant(value=False)"),
        ("a: f32[] = div(#1.0; #3.0)", "a: f32[] = constant(value=0.3333333432674408)"),
        ("a: f32[] = div(#0.0; #-0.0)", "a: f32[] = constant(value=nan)"),
        (
            "a: f32[2] = constant(value=data'0000803f00000040')\nb: f32[2] = neg(a)",
            "b: f32[2] = constant(value=data'000080bf000000c0')",
        ),
        ("a: f32[] = cast(#i7; dtype=f32)", "a: f32[] = constant(value=7.0)"),
        # A size that is known at run time only, and a result that is not small, stay.
        ("a: f32[] = divide_by_size(#1.0; size=<B>)", "a: f32[] = divide_by_size(#1.0; size=<B>)"),
        ("a: f32[B, 4] = expand(#1.0; sizes=(<B>, 4))", "a: f32[B, 4] = expand(#1.0; sizes=(<B>, 4))"),
    ],
    "add_negated": [
        ("a: f32[B, 4] = neg(y)\nb: f32[B, 4] = add(x; a)", "b: f32[B, 4] = sub(x; y)"),
        ("a: f32[B, 4] = neg(x)\nb: f32[B, 4] = add(a; y)", "b: f32[B, 4] = sub(y; x)"),
    ],
    "subtract_zero": [
        ("a: f32[B, 4] = sub(x; #0.0)", "= x"),
        ("a: f32[B, 4] = sub(x; #-0.0)", "a: f32[B, 4] = sub(x; #-0.0)"),
        ("a: f32[B, 4] = sub(#0.0; x)", "a: f32[B, 4] = sub(#0.0; x)"),
    ],
    "scalar_last": [
        ("a: f32[B, 4] = mul(s; x)", "a: f32[B, 4] = mul(x; s)"),
        ("a: f32[] = mul(#3.0; s)", "a: f32[] = mul(s; #3.0)"),
        ("a: f32[] = mul(s; t)", "a: f32[] = mul(s; t)"),
    ],
    "multiply_by_one": [
        ("a: f32[B, 4] = mul(x; #1.0)", "= x"),
        ("a: f32[B, 4] = div(x; #1.0)", "= x"),
        ("a: i32[B, 4] = mul(i; #i1)", "= i"),
        ("a: f32[B, 4] = div(#1.0; x)", "a: f32[B, 4] = div(#1.0; x)"),
    ],
    "multiply_by_minus_one": [
        ("a: f32[B, 4] = mul(x; #-1.0)", "a: f32[B, 4] = neg(x)"),
        ("a: f32[B, 4] = div(x; #-1.0)", "a: f32[B, 4] = neg(x)"),
    ],
    "divide_by_power_of_two": [
        ("a: f32[B, 4] = div(x; #8.0)", "a: f32[B, 4] = mul(x; #0.125)"),
        ("a: f32[B, 4] = div(x; #-0.5)", "a: f32[B, 4] = mul(x; #-2.0)"),
        ("a: f32[B, 4] = div(x; #3.0)", "a: f32[B, 4] = div(x; #3.0)"),
        # The reciprocal would be subnormal, or nothing.
        ("a: f32[B, 4] = div(x; #1.7014118346046923e+38)", "a: f32[B, 4] = div(x; #1.7014118346046923e+38)"),
        ("a: f32[B, 4] = div(x; #0.0)", "a: f32[B, 4] = div(x; #0.0)"),
    ],
    "divide_by_known_size": [("a: f32[B, 4] = divide_by_size(x; size=3)", "a: f32[B, 4] = div(x; #3.0)")],
    "join_factors": [
        ("a: f32[B, 4] = mul(x; #0.3)\nb: f32[B, 4] = mul(a; #4.0)", "b: f32[B, 4] = mul(x; #1.2)"),
        (
            "a: f32[B, 4] = mul(x; #0.3)\nb: f32[B, 4] = mul(a; #0.7)",
            "a: f32[B, 4] = mul(x; #0.3)\nb: f32[B, 4] = mul(a; #0.7)",
        ),
        ("a: f32[B, 4] = mul(x; #0.25)\nb: f32[B, 4] = mul(a; #4.0)", "a: f32[B, 4] = mul(x; #1.0)"),
        ("a: f32[B, 4] = mul(x; #4.0)\nb: f32[B, 4] = mul(a; #3.0)", "b: f32[B, 4] = mul(x; #12.0)"),
        # x * 4 may be infinite where x * 1 is not.
        (
            "a: f32[B, 4] = mul(x; #4.0)\nb: f32[B, 4] = mul(a; #0.25)",
            "a: f32[B, 4] = mul(x; #4.0)\nb: f32[B, 4] = mul(a; #0.25)",
        ),
        (
            "a: f32[B, 4] = mul(x; #1e+38)\nb: f32[B, 4] = mul(a; #4.0)",
            "a: f32[B, 4] = mul(x; #1e+38)\nb: f32[B, 4] = mul(a; #4.0)",
        ),
    ],
    "negate_product": [("a: f32[B, 4] = mul(x; #3.0)\nb: f32[B, 4] = neg(a)", "b: f32[B, 4] = mul(x; #-3.0)")],
    "scale_negated": [
        ("a: f32[B, 4] = neg(x)\nb: f32[B, 4] = mul(a; #3.0)", "b: f32[B, 4] = mul(x; #-3.0)"),
        ("a: f32[B, 4] = neg(x)\nb: f32[B, 4] = div(a; #3.0)", "b: f32[B, 4] = div(x; #-3.0)"),
    ],
    "simple_power": [
        ("a: f32[B, 4] = pow(x; #2.0)", "a: f32[B, 4] = square(x)"),
        ("a: f32[B, 4] = pow(x; #1.0)", "= x"),
        ("a: f32[B, 4] = pow(x; #0.5)", "a: f32[B, 4] = pow(x; #0.5)"),
    ],
    "known_choice": [
        ("a: f32[B, 4] = where(#b1; x; y)", "= x"),
        ("a: f32[B, 4] = where(#b0; x; v)", "a: f32[B, 4] = expand(v; sizes=(<B>, 4))"),
    ],
    "same_type": [("a: f32[B, 4] = cast(x; dtype=f32)", "= x")],
    "join_casts": [
        ("a: f64[B, 4] = cast(x; dtype=f64)\nb: f32[B, 4] = cast(a; dtype=f32)", "= x"),
        ("a: i64[B, 4] = cast(i; dtype=i64)\nb: f64[B, 4] = cast(a; dtype=f64)", "b: f64[B, 4] = cast(i; dtype=f64)"),
        # What the type between has not is lost there.
        (
            "a: i32[B, 4] = cast(x; dtype=i32)\nb: f32[B, 4] = cast(a; dtype=f32)",
            "a: i32[B, 4] = cast(x; dtype=i32)\nb: f32[B, 4] = cast(a; dtype=f32)",
        ),
        (
            "a: f16[B, 4] = cast(x; dtype=f16)\nb: f32[B, 4] = cast(a; dtype=f32)",
            "a: f16[B, 4] = cast(x; dtype=f16)\nb: f32[B, 4] = cast(a; dtype=f32)",
        ),
    ],
    "nothing_stops": [("a: f32[B, 4] = stop_gradient(x)", "= x")],
    "same_shape": [
        ("a: f32[B, 4] = reshape(x; sizes=(<B>, 4))", "= x"),
        ("a: f32[B, 4] = expand(x; sizes=(<B>, 4))", "= x"),
        ("a: f32[B, 4] = squeeze(x; axis=())", "= x"),
    ],
    "same_order": [("a: f32[B, 4] = transpose(x; axes=(0, 1))", "= x")],
    "transpose_twice": [
        (
            "a: f32[4, B] = transpose(x; axes=(1, 0))\nb: f32[B, 4] = transpose(a; axes=(1, 0))",
            "b: f32[B, 4] = transpose(x; axes=(0, 1))",
        ),
        (
            """a: f32[B, 2, 2] = reshape(x; sizes=(<B>, 2, 2))
            b: f32[2, B, 2] = transpose(a; axes=(1, 0, 2))
            c: f32[2, 2, B] = transpose(b; axes=(2, 0, 1))""",
            "a: f32[B, 2, 2] = reshape(x; sizes=(<B>, 2, 2))\nc: f32[2, 2, B] = transpose(a; axes=(2, 1, 0))",
        ),
    ],
    "reshape_of_reshape": [
        (
            "a: f32[4 * B] = reshape(x; sizes=(<4 * B>,))\nb: f32[2, 2 * B] = reshape(a; sizes=(2, <2 * B>))",
            "b: f32[2, 2 * B] = reshape(x; sizes=(2, <2 * B>))",
        ),
        (
            "a: f32[B, 1, 4] = expand_dims(x; axis=(1,))\nb: f32[4, B] = reshape(a; sizes=(4, <B>))",
            "b: f32[4, B] = reshape(x; sizes=(4, <B>))",
        ),
        (
            """a: f32[4, B] = transpose(x; axes=(1, 0))
            b: f32[4 * B] = reshape(a; sizes=(<4 * B>,))
            c: f32[2, 2 * B] = reshape(b; sizes=(2, <2 * B>))""",
            """a: f32[4, B] = transpose(x; axes=(1, 0))
            b: f32[4 * B] = reshape(a; sizes=(<4 * B>,))
            c: f32[2, 2 * B] = reshape(b; sizes=(2, <2 * B>))""",
        ),
        (
            """a: f32[4, B] = transpose(x; axes=(1, 0))
            b: f32[4 * B] = reshape(a; sizes=(<4 * B>,))
            c: f32[4, B] = reshape(b; sizes=(4, <B>))""",
            "a: f32[4, B] = transpose(x; axes=(1, 0))\nc: f32[4, B] = reshape(a; sizes=(4, <B>))",
        ),
    ],
    "axes_there_and_back": [
        ("a: f32[B, 1, 4] = expand_dims(x; axis=(1,))\nb: f32[B, 4] = squeeze(a; axis=(1,))", "= x"),
        (
            "a: f32[1] = expand_dims(s; axis=(0,))\nb: f32[1, 1] = expand_dims(a; axis=(0,))",
            "a: f32[1] = expand_dims(s; axis=(0,))\nb: f32[1, 1] = expand_dims(a; axis=(0,))",
        ),
    ],
    "whole_slice": [
        ("a: f32[B, 4] = slice(x; starts=(0, 0); stops=(<B>, 4); steps=(1, 1))", "= x"),
        (
            "a: f32[B, 3] = slice(x; starts=(0, 1); stops=(<B>, 4); steps=(1, 1))",
            "a: f32[B, 3] = slice(x; starts=(0, 1); stops=(<B>, 4); steps=(1, 1))",
        ),
    ],
    "reduce_nothing": [
        ("a: f32[B, 4] = max(x; axes=(); keepdims=False)", "= x"),
        ("a: f32[B, 4] = sum(x; axes=(); keepdims=False)", "a: f32[B, 4] = sum(x; axes=(); keepdims=False)"),
    ],
    "join_one": [("a: f32[B, 4] = concat(x; axis=0)", "= x")],
    "full_of_scalar": [
        (
            "a: f32[B, 4] = full(dtype=f32; sizes=(<B>, 4); value=1.5)",
            "a: f32[B, 4] = expand(#1.5; sizes=(<B>, 4))",
        )
    ],
    "expand_of_expand": [
        (
            "a: f32[4] = expand(s; sizes=(4,))\nb: f32[B, 4] = expand(a; sizes=(<B>, 4))",
            "b: f32[B, 4] = expand(s; sizes=(<B>, 4))",
        ),
        (
            "a: f32[1, 4] = expand_dims(v; axis=(0,))\nb: f32[B, 4] = expand(a; sizes=(<B>, 4))",
            "b: f32[B, 4] = expand(v; sizes=(<B>, 4))",
        ),
        (
            "a: f32[4, 1] = expand_dims(v; axis=(1,))\nb: f32[4, B] = expand(a; sizes=(4, <B>))",
            "a: f32[4, 1] = expand_dims(v; axis=(1,))\nb: f32[4, B] = expand(a; sizes=(4, <B>))",
        ),
    ],
    "view_of_scalar": [
        (
            "a: f32[B, 4] = expand(s; sizes=(<B>, 4))\nb: f32[4, B] = transpose(a; axes=(1, 0))",
            "b: f32[4, B] = expand(s; sizes=(4, <B>))",
        ),
        (
            "a: f32[B, 4] = expand(s; sizes=(<B>, 4))\nb: f32[4 * B] = reshape(a; sizes=(<4 * B>,))",
            "b: f32[4 * B] = expand(s; sizes=(<4 * B>,))",
        ),
    ],
    "before_expansion": [
        ("a: f32[B, 4] = expand(s; sizes=(<B>, 4))\nb: f32[B, 4] = sub(x; a)", "b: f32[B, 4] = sub(x; s)"),
        (
            "a: f32[B, 4] = expand(v; sizes=(<B>, 4))\nb: f32[B, 4] = tanh(a)",
            "b: f32[4] = tanh(v)\nc: f32[B, 4] = expand(b; sizes=(<B>, 4))",
        ),
        ("a: f32[1, 4] = expand_dims(v; axis=(0,))\nb: f32[B, 4] = add(x; a)", "b: f32[B, 4] = add(x; v)"),
    ],
    "packed_parts": [
        (f"{_CUT}c: f32[4] = pack(a; b)", "= v"),
        (f"{_CUT}c: f32[4] = pack(b; a)", f"{_CUT}c: f32[4] = pack(b; a)"),
    ],
    "packed_sums": [
        (
            f"{_CUT}c: f32[1] = exp(a)\nd: f32[1] = add(c; a)\ne: f32[3] = neg(b)\nf: f32[3] = add(b; e)\ng: f32[4] = pack(d; f)",
            f"{_CUT}c: f32[1] = exp(a)\ne: f32[3] = neg(b)\nf: f32[4] = pack(c; e)\ng: f32[4] = add(f; v)",
        ),
        (
            f"{_CUT}c: f32[1] = exp(a)\nd: f32[1] = add(c; a)\ne: f32[3] = neg(b)\nf: f32[4] = pack(d; e)",
            f"{_CUT}c: f32[1] = exp(a)\nd: f32[1] = add(c; a)\ne: f32[3] = neg(b)\nf: f32[4] = pack(d; e)",
        ),
    ],
}
