"""Pictures of graphs: what is in them, where it lies, and that no text of a program gets out of its quotes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dslc
from dslc.backends.drawing import Scene, dot_text, mermaid_text, paint, svg_text
from dslc.backends.drawing.layout import Layout, layout
from dslc.backends.drawing.scene import Group
from dslc.backends.drawing.spread import spread
from dslc.driver.drawing import drawn
from dslc.driver.frontend import Checked, check_program, read_source
from dslc.driver.models import choose_model
from dslc.driver.stages import write_stage
from dslc.graph import Builder, Graph
from dslc.graph.node_link import node_link
from dslc.graph.text import node_text
from dslc.lower import lower
from dslc.passes import optimize
from dslc.resources import models_path
from dslc.tensor_type import DType, TensorType, symbol

MODELS = models_path()
HOSTILE = 'a"b\\<script>alert(1)</script>&amp;]-->\n  end\u202e\x1b[31m%%`*x*`'


def program(name: str) -> Checked:
    return check_program(read_source(MODELS / name))


def scene_of(name: str, stage: str = "optimized") -> Scene:
    model = choose_model(program(name), None, {})
    graph = lower(model.body, model.outputs)
    layers = {info.path: info.kind for info in model.body.layers if info.path}
    return paint({"": graph if stage == "graph" else optimize(graph)}, model.name, layers)


def hostile() -> Scene:
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F32, (symbol("B"), 3)), name=HOSTILE)
    builder.graph.outputs[HOSTILE] = builder.named(builder.apply("tanh", builder.apply("exp", x)), HOSTILE)
    with builder.at(None, HOSTILE):
        builder.graph.outputs["other"] = builder.apply("relu", x)
    return paint({"": builder.graph}, HOSTILE, {HOSTILE: HOSTILE})


def chain(length: int) -> Scene:
    """Residual blocks, each a group, one after another."""
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F32, (symbol("B"), 3)), name="x")
    for i in range(length):
        with builder.at(None, f"block{i}"):
            y = builder.named(builder.apply("tanh", x), f"block{i}.y")
            x = builder.named(builder.apply("add", builder.apply("exp", y), x), f"block{i}.z")
    builder.graph.outputs["x"] = x
    return paint({"": builder.graph}, "chain", {f"block{i}": "Block()" for i in range(length)})


# ---------------------------------------------------------------------------------------------- what is shown


def groups_of(group: Group) -> list[Group]:
    return [found for part in group.parts if isinstance(part, Group) for found in (part, *groups_of(part))]


def test_parameters_stand_in_the_boxes_that_read_them() -> None:
    boxes = {box.name: box for box in scene_of("xor.dl").root.boxes() if box.kind == "weights"}
    assert boxes["y"].lines == ("· @ weight + bias",)
    assert boxes["y"].params == ("weight: f32[2, 8]", "bias: f32[8]")
    assert boxes["logit"].type == "f32[B, 1]"


def test_layers_are_groups_in_each_other() -> None:
    titles = [group.title for group in scene_of("resnet.dl").root.parts if isinstance(group, Group)]
    assert titles[0] == "stem: ConvBN(8)"
    assert titles[-1] == "head: Dense(10)"
    inner = [group.title for group in groups_of(scene_of("resnet.dl").root)]
    assert inner[1].startswith("conv: Conv2d(8, kernel = 3")


def test_a_layer_applied_twice_is_two_groups() -> None:
    builder = Builder()
    x = builder.leaf("input", TensorType(DType.F32, (4,)), name="x")
    for _ in range(2):
        with builder.at(None, "fc"):
            x = builder.apply("tanh", x)
        x = builder.apply("exp", x)
    builder.graph.outputs["y"] = x
    assert [group.title for group in groups_of(paint({"": builder.graph}, "", {"fc": "Dense(4)"}).root)] == [
        "fc: Dense(4)"
    ] * 2


def test_a_scan_shows_one_step_with_the_states_before_and_after_it() -> None:
    scene = scene_of("rows_lstm.dl")
    step = next(group for group in groups_of(scene.root) if group.title == "each step of T")
    states = [(box.name, box.lines) for box in step.boxes() if box.kind == "state"]
    assert states == [
        ("hidden", ("starts at 0",)),
        ("memory", ("starts at 0",)),
        ("hidden, next", ()),
        ("memory, next", ()),
    ]


def test_a_picture_speaks_the_words_of_the_program() -> None:
    model = choose_model(program("rows_lstm.dl"), None, {})
    text = drawn({"": optimize(lower(model.body, model.outputs))}, model, ".mmd")
    assert '["first: LSTM(64)"]' in text, "the layer that is written, not what it is made of"
    assert "·[:, 192:]" in text


@pytest.mark.parametrize("name", ["xor.dl", "cnn_mnist.dl", "rows_lstm.dl", "transformer.dl", "resnet.dl"])
def test_arrows_are_the_edges_of_the_graph_between_what_depends_on_data(name: str) -> None:
    scene = scene_of(name, "graph")
    ids = [box.id for box in scene.root.boxes()]
    assert sorted(ids) == list(range(len(ids)))
    net = nx.DiGraph(scene.arrows)
    assert set(net) == set(ids), "every box is reached"
    assert nx.is_directed_acyclic_graph(net)
    outputs = {box.id for box in scene.root.boxes() if box.kind == "output"}
    starts = {box.id for box in scene.root.boxes() if not net.in_degree(box.id)}
    kinds = {box.kind for box in scene.root.boxes() if box.id in starts}
    assert kinds <= {"input", "state", "plain"}
    assert all(net.out_degree(i) == 0 for i in outputs)


# ---------------------------------------------------------------------------------------------- where it lies


@pytest.mark.parametrize("name", ["xor.dl", "cnn_mnist.dl", "rows_lstm.dl", "transformer.dl", "resnet.dl", "sorter.dl"])
def test_nothing_overlaps_and_everything_is_inside(name: str) -> None:
    laid = layout(scene_of(name))
    assert not overlaps(laid)
    for thing in (*laid.boxes, *laid.groups):
        assert thing.x >= 0 <= thing.y
        assert thing.x + thing.width <= laid.width + 1e-6
        assert thing.y + thing.height <= laid.height + 1e-6
    for line in laid.lines:
        assert all(-1e-6 <= x <= laid.width + 1e-6 and -1e-6 <= y <= laid.height + 1e-6 for x, y in line.points)
        assert all(above[1] <= below[1] + 1e-6 for above, below in zip(line.points, line.points[1:], strict=False))


def overlaps(laid: Layout) -> list[tuple[str, str]]:
    return [
        (a.box.name, b.box.name)
        for a, b in combinations(laid.boxes, 2)
        if a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
    ]


def test_a_long_graph_is_long_and_not_wide() -> None:
    short, long = layout(chain(3)), layout(chain(40))
    assert long.width <= short.width * 1.2
    assert long.height > short.height * 10


def test_chains_are_straight() -> None:
    lines = [line for line in layout(scene_of("cnn_mnist.dl")).lines if len({x for x, _ in line.points}) == 1]
    assert len(lines) == len(layout(scene_of("cnn_mnist.dl")).lines)


weights = st.floats(0.1, 10)
things = st.lists(st.tuples(st.floats(-50, 50), weights, st.floats(0, 20)), min_size=1, max_size=8)


@given(things, st.integers(0, 7), st.floats(-5, 5))
def test_things_are_spread_as_near_as_can_be_to_where_they_want_to_be(rows, which: int, step: float) -> None:
    wanted, weights, gaps = (list(column) for column in zip(*rows, strict=True))
    gaps = gaps[1:]
    found = spread(wanted, weights, gaps)

    def cost(places: list[float]) -> float:
        return sum(w * (x - want) ** 2 for x, want, w in zip(places, wanted, weights, strict=True))

    def fits(places: list[float]) -> bool:
        return all(b - a >= gap - 1e-9 for a, b, gap in zip(places, places[1:], gaps, strict=False))

    assert fits(found)
    for end in range(len(found)):
        moved = [x + step if min(which, end) <= i <= max(which, end) else x for i, x in enumerate(found)]
        assert not fits(moved) or cost(moved) >= cost(found) - 1e-6


# ---------------------------------------------------------------------------------------------- forms


def test_hostile_names_stay_text_in_svg() -> None:
    text = svg_text(hostile())
    root = ElementTree.fromstring(text)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "title", "style", "defs", "marker", "path", "rect", "text", "g",
    }  # fmt: skip
    shown = [element.text or "" for element in root.iter() if element.tag.endswith("}text")]
    assert any("<script>" in each for each in shown)
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_hostile_names_stay_in_the_strings_of_dot() -> None:
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', dot_text(hostile()))
    assert "script" not in text
    assert '"' not in text.replace('""', "")
    assert text.count("{") == text.count("}") == 2


def test_hostile_names_stay_in_the_strings_of_mermaid() -> None:
    lines = mermaid_text(hostile()).splitlines()
    assert [line for line in lines if line.strip() == "end"] == ["  end"]
    assert all(line.count('"') in (0, 2) for line in lines)
    assert not set("<>`%\\&") & set("".join(lines).replace("<br>", "").replace("-->", ""))


def test_a_picture_does_not_depend_on_the_order_of_hashes(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from dslc.driver.frontend import *; from dslc.driver.stages import write_stage;"
        f"checked = check_program(read_source(Path({str(MODELS / 'transformer.dl')!r})))\n"
        "for e in ('svg', 'dot', 'mmd', 'json'): write_stage(checked, None, None, Path(f'out.{e}'))"
    )
    found: list[list[bytes]] = []
    for seed in "12":
        subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONHASHSEED": seed}, check=True
        )
        found.append([(tmp_path / f"out.{ending}").read_bytes() for ending in ("svg", "dot", "mmd", "json")])
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["xor.dl:xor", "gan.dl:gan", "rows_lstm.dl", "japanese_vowels.dl:lstm"])
@pytest.mark.parametrize("ending", ["svg", "dot", "mmd", "json"])
def test_models_and_trainings_are_drawn(name: str, ending: str, tmp_path: Path) -> None:
    file, _, what = name.partition(":")
    target = tmp_path / f"out.{ending}"
    said = write_stage(program(file), what or None, None, target)
    assert said.endswith("the graph of a training step" if what else "the optimised graph")
    assert target.stat().st_size > 500


@pytest.mark.parametrize(
    ("text", "arrows"),
    [
        ("input x: f32[B, 2]; output y: f32[B, 2] = x", 1),
        ("input x: f32[B, 2]; input unused: f32[B]; output y: f32[2] = ones([2]); output z: f32[B, 2] = 2 * x", 2),
        ("output y: f32[2]; param w: f32[2] = zeros(); y = w", 0),
    ],
    ids=["an input that is the output", "an input that nothing reads", "a parameter that is the output"],
)
def test_models_that_hardly_compute_anything_are_drawn(text: str, arrows: int, tmp_path: Path) -> None:
    checked = dslc.parse(f"dim B\nmodel M {{ {text} }}\n").checked
    for ending in ("svg", "dot", "mmd"):
        write_stage(checked, None, None, tmp_path / f"out.{ending}")
    assert (tmp_path / "out.mmd").read_text().count("-->") == arrows
    assert (tmp_path / "out.dot").read_text().count("->") == arrows
    assert (tmp_path / "out.svg").read_text().count("url(#arrow)") == arrows


def test_the_steps_of_a_training_are_groups_and_graphs_of_their_own(tmp_path: Path) -> None:
    checked = program("gan.dl")
    write_stage(checked, None, "training", tmp_path / "gan.json")
    assert list(json.loads((tmp_path / "gan.json").read_text())) == ["critic", "generator"]
    write_stage(checked, None, "training", tmp_path / "gan.dot")
    assert 'label="step critic"' in (tmp_path / "gan.dot").read_text()


# ---------------------------------------------------------------------------------------------- json


def graph_of(name: str) -> Graph:
    model = choose_model(program(name), None, {})
    return optimize(lower(model.body, model.outputs))


@pytest.mark.parametrize("name", ["xor.dl", "rows_lstm.dl", "transformer.dl", "sorter.dl"])
def test_networkx_reads_the_json_as_the_graph_it_was(name: str) -> None:
    graph = graph_of(name)
    data = json.loads(json.dumps(node_link(graph, {"title": name})))
    net = nx.node_link_graph(data, edges="edges")
    assert isinstance(net, nx.MultiDiGraph)
    assert sorted(net.edges(keys=True)) == sorted(graph.net.edges(keys=True))
    assert net.graph["title"] == name
    assert net.graph["outputs"] == {name: value.id for name, value in graph.outputs.items()}
    for node in graph.order():
        found = net.nodes[node.id]
        shape = ", ".join(map(str, found["shape"]))
        assert node_text(node).startswith(f"%{node.id}: {found['dtype']}[{shape}] = {found['op']}(")
        assert found.get("name", "") == node.name
        assert set(found["attrs"]) == set(node.attrs)


def test_numbers_that_json_cannot_say_are_text() -> None:
    builder = Builder()
    builder.graph.outputs["y"] = builder.constant(float("-inf"), DType.F32)
    (node,) = json.loads(json.dumps(node_link(builder.graph), allow_nan=False))["nodes"]
    assert node["attrs"] == {"value": "-inf"}
