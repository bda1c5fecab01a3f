"""Whole programs by a grammar: blocks, cells, a model, data, training and tests."""

from __future__ import annotations

from hypothesis import strategies as st
from statements import Body, arithmetic, choice, fill, let, unary

_SETTINGS = [
    "batch = 1", "batch = all", "seed = 3", "epochs = 2", "metrics = { m: mean(net.y) }", "clip_norm = 1.0", "clip_value = 0.5",
    'freeze = ["*.bias"]', "let doubled = 2 * net.y",
]  # fmt: skip
_LOSSES = [
    "mean(net.y ** 2)", "mse(net.y, 0)", "sum(abs(net.y))", "cross_entropy(net.y, data.k)", "huber(net.y, 0.5)",
    'mean(net.y) + l2(1e-4, on = "*.weight")', "mean(net(data.x * 2))", "mean(stop_gradient(net.y) * net.y)",
]  # fmt: skip
_OPTIMIZERS = [
    "adam()", "sgd(lr = 0.1, momentum = 0.9)", "adam(lr = 1e-2, beta1 = 0.5)", "adam(lr = 1e-3 |> linear(2 epochs))",
    "sgd(lr = warmup(3 steps, to = 1e-3) |> cosine(2 epochs, to = 1e-5), momentum = 0.9, nesterov = true)",
]  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A whole file: perhaps a block and a cell, a model, data, training and a test."""
    blocks = ["Inner"] if draw(st.booleans()) else []
    cells = ["Step"] if draw(st.booleans()) else []
    parts = ["dim B, T"]
    parts += [_make_block(draw)] * len(blocks) + [_make_cell(draw)] * len(cells)
    body = Body(draw, blocks=blocks, cells=cells, compile_time=["n0"])
    body.values["x"] = ("B", draw(st.sampled_from(["T", "4"])), "8") if draw(st.booleans()) else ("B", "8")
    head = [f"input x: f32[{', '.join(body.values['x'])}]"]
    fill(body, 7)
    name, shape = list(body.values.items())[-1]
    head.append(f"output y: f32[{', '.join(shape)}]")
    scale = "" if shape else "param scale: f32[] = 1"
    body.lines += [scale, f"y = {name} * scale"] if scale else [f"y = {name} |> out: Dense({shape[-1]})"]
    parts.append(_braced("model Net(n0: int = 4)", head + body.lines))
    if draw(st.booleans()):
        parts += _make_train(draw, body)
    if draw(st.booleans()):
        sizes = [size if size.isdigit() else "3" for size in body.values["x"]]
        expect = draw(
            st.sampled_from(["onnx(net.y) ~= net.y within 1e-4", "params(net) == 3", "max(net.y) > 0", "error DL2007"])
        )
        parts.append(
            _braced('test "t"', ["use net = Net()", f"given x = ones([{', '.join(sizes)}])", f"expect {expect}"])
        )
    return "\n\n".join(parts) + "\n"


def _braced(head: str, lines: list[str]) -> str:
    return "\n".join([f"{head} {{", *(f"  {line}" for line in lines), "}"])


def _make_block(draw: st.DrawFn) -> str:
    body = Body(draw, compile_time=["units"])
    body.values["x"] = ("...", "D")
    head = ["dim D", "input x: float[..., D]", "output y: float[..., D]"]
    for _ in range(draw(st.integers(0, 3))):
        draw(st.sampled_from([unary, arithmetic, choice, let]))(body)
    name = next(reversed(body.values))
    tail = draw(
        st.sampled_from([f"y = {name}", f"y = {name} |> Dense(D)", f"y = {name} |> a: Dense(units) |> b: Dense(D)"])
    )
    return _braced("block Inner(units: int = 4)", [*head, *body.lines, tail])


def _make_cell(draw: st.DrawFn) -> str:
    gate = draw(st.sampled_from(["sigmoid", "tanh"]))
    start = draw(st.sampled_from(["zeros()", "0.5", "ones()"]))
    head = ["dim D", "input x: f32[B, D]", f"state h: f32[B, units] = {start}", "output y: f32[B, units]"]
    new = draw(st.sampled_from(["(x |> a: Dense(units)) + h", "(x |> a: Dense(units)) * (h |> b: Dense(units))"]))
    return _braced("cell Step(units: int)", [*head, f"y = {gate}({new})", "next h = y"])


_MORE_FIELDS = (
    [],
    ['field tokens: i64[3] = tokenize(source["t"], vocab = 5, length = 3, unit = "characters")'],
    ['field one: f32[2] = one_hot(source["k"], classes = 2)', 'field both: f64[2] = source["k", "k"]'],
)


def _make_train(draw: st.DrawFn, body: Body) -> list[str]:
    """A data block with two rows of what the model takes, and training on it."""
    shape = [size if size.isdigit() else "2" for size in body.values["x"][1:]]
    row = "1"
    for size in reversed(shape):
        row = f"[{', '.join([row] * int(size))}]"
    columns = f'source = inline({{ x: [{row}, {row}], k: [0, 1], t: ["a b", "b"] }})'
    value = draw(st.sampled_from(['source["x"] / 2', 'standardize(source["x"])']))
    ids = draw(
        st.sampled_from(
            ['source["k"]', 'classes(source["t"])', 'lengths(tokenize(source["t"], vocab = 5, length = 1))']
        )
    )
    fields = [
        f"field x: f32[{', '.join(shape)}] = {value}",
        f"field k: i64[] = {ids}",
        *draw(st.sampled_from(_MORE_FIELDS)),
    ]
    split = draw(
        st.sampled_from([[], ["split = { val: 0.5 }"], ["split = { val: 0.5 }", "stratify = k", "shuffle_seed = 3"]])
    )
    settings = ["use net = Net()", "data = rows", *draw(st.lists(st.sampled_from(_SETTINGS), max_size=3, unique=True))]
    if draw(st.booleans()):
        settings.append(
            "sample z: f32[B, 4] ~ " + draw(st.sampled_from(["normal(0, 1)", "uniform(-1, 1)", "bernoulli(0.5)"]))
        )
    noise = " + mean(z) * mean(net.y)" if settings[-1].startswith("sample") else ""
    for name in draw(st.sampled_from([[], [], ["only"], ["first", "second"]])):
        settings.append(f"step {name} {{ update net; {'; '.join(_objective(draw, noise))} }}")
    if not settings[-1].startswith("step"):
        settings += _objective(draw, noise)
        if split:
            settings.append('early_stop(on = "val.loss", patience = 2 epochs, restore_best = true)')
    return [_braced("data rows", [columns, *fields, *split]), _braced("train t", settings)]


def _objective(draw: st.DrawFn, noise: str) -> list[str]:
    """What is to become small, and how."""
    return [f"loss = {draw(st.sampled_from(_LOSSES))}{noise}", f"optimizer = {draw(st.sampled_from(_OPTIMIZERS))}"]
