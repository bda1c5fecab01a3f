"""Statements of models, blocks and cells, with their names and shapes kept track of, so that most of them are well typed."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

Shape = tuple[str, ...]  # without the element type, which is f32; sizes as they are written

_SAME = [
    "relu",
    "tanh",
    "sigmoid",
    "gelu",
    "silu",
    "softplus",
    "square",
    "abs",
    "leaky_relu(0.1)",
    "clip(0, 1)",
    "Dropout(0.1)",
]
_DTYPES = ["f32", "f32", "f32", "f64", "i64", "bool"]
_SIZES = ["2", "4", "8"]


@dataclass
class Body:
    """The statements of a model, block or cell as they are made."""

    draw: st.DrawFn
    lines: list[str] = field(default_factory=list)
    values: dict[str, Shape] = field(default_factory=dict)
    compile_time: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    count: int = 0

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def choose(self, options: list[str]) -> str:
        return self.draw(st.sampled_from(options))

    def value(self, rank: int = 0) -> tuple[str, Shape]:
        """A value in scope, of at least this rank where there is one."""
        fitting = [item for item in self.values.items() if len(item[1]) >= rank] or list(self.values.items())
        return self.draw(st.sampled_from(fitting))

    def say(self, expression: str, shape: Shape) -> None:
        """A statement that names a value."""
        name = self.name("v")
        typed = f": f32[{', '.join(shape)}]" if self.draw(st.integers(0, 4)) == 0 else ""
        self.lines.append(f"{name}{typed} = {expression}")
        self.values[name] = shape

    def number(self) -> str:
        return self.choose(["2", "0.5", "1e-3", "-1", "3", *self.compile_time])

    def size(self) -> str:
        return self.choose([*_SIZES, *self.compile_time, "2 * 4", "floor_div(9, 2)"])

    def label(self) -> str:
        return self.name("l")


def unary(body: Body) -> None:
    name, shape = body.value()
    body.say(f"{name} |> {body.choose(_SAME)}", shape)


def arithmetic(body: Body) -> None:
    name, shape = body.value()
    others = [other for other, its in body.values.items() if its == shape]
    other = body.choose([*others, body.number()])
    operator = body.choose(["+", "-", "*", "/", "%", "<", "==", ">="])
    text = f"{name} {operator} {other}"
    if operator in ("<", "==", ">="):
        text = f"where({text}, {name}, {other})"
    body.say(f"-({text}) ** 2" if body.draw(st.booleans()) else text, shape)


def _pipe(body: Body) -> None:
    name, shape = body.value(1)
    stages: list[str] = []
    for _ in range(body.draw(st.integers(1, 4))):
        if body.draw(st.booleans()):
            units = body.size()
            stages.append(f"{body.label()}: Dense({units}{body.choose(['', ', bias = false'])})")
            shape = (*shape[:-1], units)
        else:
            stages.append(body.choose(_SAME))
    glue = body.choose([" |> ", "\n    |> "])
    body.say(glue.join([name, *stages]), shape)


def _repeat(body: Body) -> None:
    name, shape = body.value(1)
    inner = body.choose(["relu", "fc: Dense(4) |> tanh", "fc: Dense(4) |> Dropout(0.5)"])
    last = shape[-1] if inner == "relu" else "4"
    count = body.choose(["1", "2", "3", *body.compile_time])
    body.say(
        f"{name} |> {body.label()}: repeat({count}){body.choose(['', ' as i'])} {{ {inner} }}", (*shape[:-1], last)
    )


def _reduce(body: Body) -> None:
    name, shape = body.value(1)
    axis = body.draw(st.integers(0, len(shape) - 1))
    keep = body.draw(st.booleans())
    left = (*shape[:axis], "1", *shape[axis + 1 :]) if keep else (*shape[:axis], *shape[axis + 1 :])
    function = body.choose(["mean", "sum", "max", "min"])
    body.say(f"{function}({name}, axes = [{axis}]{', keepdims = true' if keep else ''})", left)


def _slice(body: Body) -> None:
    name, shape = body.value(1)
    kind = body.choose([":, 0", ":2", "..., -1", "..., :1", ":", "none, ...", "..., ::2"])
    results = {
        ":, 0": (*shape[:1], *shape[2:]), ":2": ("2", *shape[1:]), "..., -1": shape[:-1], "..., :1": (*shape[:-1], "1"),
        ":": shape, "none, ...": ("1", *shape), "..., ::2": (*shape[:-1], f"ceil_div({shape[-1]}, 2)"),
    }  # fmt: skip
    body.say(f"{name}[{kind}]", results[kind])


def _shapes(body: Body) -> None:
    name, shape = body.value(2)
    swapped = (*shape[:-2], *shape[-2:][::-1])
    axes = [*range(len(shape))]
    options: list[tuple[str, Shape]] = [
        (f"concat({name}, {name}, axis = -1)", (*shape[:-1], f"2 * {shape[-1]}")),
        (f"stack({name}, {name}, axis = 0)", ("2", *shape)),
        (f"transpose({name}, {[*axes[:-2], *axes[-2:][::-1]]})", swapped),
        (f"{name} @ transpose({name}, {[*axes[:-2], *axes[-2:][::-1]]})", (*shape[:-1], *shape[-2:-1])),
        (f"softmax({name}, axis = -1)", shape),
        (f"expand_dims({name}, axis = 1)", (*shape[:1], "1", *shape[1:])),
        (f"reshape({name}, [{', '.join(shape[:-1])}, -1])", shape),
        (f"flatten({name})", (*shape[:1], " * ".join(shape[1:]) or "1")),
    ]
    body.say(*body.draw(st.sampled_from(options)))


def _split(body: Body) -> None:
    name, shape = body.value(1)
    left, right = body.name("v"), body.name("v")
    body.lines.append(f"{left}, {right} = split({name}, 2, axis = -1)")
    for part in (left, right):
        body.values[part] = (*shape[:-1], f"{shape[-1]} / 2")


def _param(body: Body) -> None:
    size = body.choose(_SIZES)
    name = body.name("w")
    start = body.choose(["zeros()", "normal(0, 1)", "glorot_uniform()", "0.5"])
    body.lines.append(f"param {name}: f32[{size}] = {start}")
    body.values[name] = (size,)


def choice(body: Body) -> None:
    name, shape = body.value()
    condition = body.choose(["training", "1 < 2", *(f"{n} > 3" for n in body.compile_time)])
    if body.draw(st.booleans()):
        body.say(f"if {condition} then {name} * 2 else {name}", shape)
        return
    made = body.name("v")
    break_ = body.choose([" ", "\n    "])
    body.lines.append(
        f"if {condition} {{{break_}{made} = {name} + 1{break_}}} else {{{break_}{made} = {name}{break_}}}"
    )
    body.values[made] = shape


def _shared(body: Body) -> None:
    name, shape = body.value(1)
    layer = body.name("layer")
    body.lines.append(f"layer {layer} = Dense({shape[-1]})")
    body.say(f"{layer}({name}) + {layer}({name} * 2)", shape)


def _block(body: Body) -> None:
    if body.blocks:
        name, shape = body.value(1)
        body.say(f"{name} |> {body.label()}: {body.choose(body.blocks)}({body.size()})", shape)


def _scan(body: Body) -> None:
    if body.cells:
        name, shape = body.value(3)
        if len(shape) != 3:
            return
        reverse = body.choose(["", ", reverse = true"])
        body.say(f"{name} |> {body.label()}: scan({body.choose(body.cells)}(4){reverse})", (*shape[:-1], "4"))


def _buffer(body: Body) -> None:
    name, _ = body.value(1)
    buffer = body.name("buffer")
    body.lines.append(f"buffer {buffer}: f32[] = 0")
    body.lines.append(f"update {buffer} = 0.9 * {buffer} + 0.1 * mean({name})")


def let(body: Body) -> None:
    name = body.name("n")
    body.lines.append(f"let {name} = {body.size()} * 2")
    body.lines.append(f'require {name} > 1, "{{{name}}} is too small"')
    body.compile_time.append(name)


def _axes_by_name(body: Body) -> None:
    name, shape = body.value(3)
    if len(shape) != 3:
        return
    options: list[tuple[str, Shape]] = [
        (f'rearrange({name}, "b t d -> b (t d)")', (shape[0], " * ".join(shape[1:]))),
        (f'rearrange({name}, "b t (h d) -> b h t d", h = 2)', (shape[0], "2", *shape[1:-1], f"{shape[-1]} / 2")),
        (f'einsum("b t d, b u d -> b t u", {name}, {name})', (*shape[:-1], *shape[1:-1])),
    ]
    body.say(*body.draw(st.sampled_from(options)))


def _wild(body: Body) -> None:
    """A statement that is probably wrong."""
    name, shape = body.value()
    options = [
        f"{name} @ {name}", f"gather({name}, {name})", f"{name}[5]", "missing + 1", f"{name}({name})", f"Dense({name})", "[1, [2]]",
        f"cast({name}, i64) + 0.5", f"Dense(-1)({name})", f"{name} |> scan(Dense(2))", f"concat({name}, [1])", "{ a: 1 }",
        f"reshape({name}, [-1, -1])", f"one_hot({name}, 3)", f"{name}.weight", f"if {name} > 0 then {name} else 0", '"text"',
    ]  # fmt: skip
    body.say(body.choose(options), shape)


_STATEMENTS = [
    unary, arithmetic, _pipe, _repeat, _reduce, _slice, _shapes, _split, _param, choice, _shared, _block, _scan, _buffer, let,
    _axes_by_name,
]  # fmt: skip


def fill(body: Body, most: int) -> None:
    """Make statements; those of one body in eight are not all right."""
    wild = body.draw(st.integers(0, 7)) == 7
    for _ in range(body.draw(st.integers(1, most))):
        body.draw(st.sampled_from(_STATEMENTS))(body)
        if wild and body.draw(st.integers(0, 3)) == 3:
            _wild(body)
