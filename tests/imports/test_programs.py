"""Programs of several files: what they mean, which files they may read, and what a run keeps of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import dslc
from dslc.check import check_source
from dslc.check.units import MAX_CHAIN
from dslc.cli.commands import commands as command
from dslc.driver.frontend import check_program, read_source
from dslc.driver.importing import ImportedFiles
from dslc.driver.resuming import config_text

Write = Callable[[Mapping[str, str]], Path]

LAYER = "block Layer() {\n  dim D\n  input x: float[..., D]\n  output y: float[..., D]\n  y = x |> d: Dense(D)\n}\n"
USES = "dim B\nmodel Net() {\n  input x: f32[B, 2]\n  output y: f32[B, 2]\n  y = x |> Layer()\n}\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def codes(path: Path, *allowed: Path) -> list[str]:
    source = read_source(path)
    return [d.code for d in check_source(source, ImportedFiles(source, allowed))[1]]


# ---------------------------------------------------------------------------------------------- what it means


def test_a_name_means_what_it_means_in_the_file_that_uses_it(project: Path) -> None:
    program = dslc.load(project)
    mlp = program.model("MLP", hidden=5)
    # `b` is a layer of nets.dl with parameters, `Layer` of main.dl has none.
    assert list(mlp.params) == ["a.d.weight", "a.d.bias", "b.d.weight", "b.d.bias", "out.weight", "out.bias"]
    np.testing.assert_array_equal(program.model("Twice")(x=np.ones((1, 3), np.float32))["y"], [[2, 2, 2]])
    assert mlp.inputs == {"x": ("N", 2)}
    assert program.models == ("Twice", "MLP")


def test_dimensions_of_one_name_are_one_size(write: Write) -> None:
    text = "dim N\nmodel Pair() {\n  input x: f32[N, 2]\n  output y: f32[N, 2]\n  y = x + (x |> Layer())\n}\n"
    layer = LAYER.replace("  dim D\n", "").replace("...", "N").replace("D", "2").replace("2ense", "Dense")
    main = write({"main.dl": 'from "layer.dl" import Layer\n' + text, "layer.dl": "dim N\n" + layer})
    assert dslc.load(main).model("Pair").inputs == {"x": ("N", 2)}


def test_a_block_of_a_file_imported_on_two_ways_is_the_same(write: Write) -> None:
    half = 'from "layer.dl" import Layer\nblock {name}() {{\n  dim D\n  input x: float[..., D]\n  output y: float[..., D]\n'
    half += "  y = x |> l: Layer()\n}}\n"
    text = 'from "a.dl" import A\nfrom "b.dl" import B\n' + USES.replace("dim B", "dim N").replace("[B", "[N")
    files = {"a.dl": half.format(name="A"), "b.dl": half.format(name="B"), "layer.dl": LAYER}
    main = write({"main.dl": text.replace("x |> Layer()", "x |> a: A() |> b: B()"), **files})
    assert list(dslc.load(main).model().params) == ["a.l.d.weight", "a.l.d.bias", "b.l.d.weight", "b.l.d.bias"]


def test_a_train_block_of_another_file_can_be_trained_and_tested(project: Path, write: Write) -> None:
    text = 'from "main.dl" import fit\ntest "fits" {\n  train fit\n  given x = [[0, 1]]\n  expect mean(net.p) > 0\n}\n'
    write({"again.dl": text})
    assert run("test", "project/again.dl").exit_code == 0
    program = dslc.load("project/again.dl")
    assert program.trainers == ("fit",)
    np.testing.assert_array_equal(
        program.trainer().models["net"].params["out.weight"],
        dslc.load(project).trainer().models["net"].params["out.weight"],
    )


def test_warnings_of_an_imported_file_are_its_own(write: Write) -> None:
    main = write(
        {"main.dl": 'from "layer.dl" import Layer\n' + USES, "layer.dl": LAYER.replace("()", "(unused: int = 1)")}
    )
    assert codes(main) == []
    assert codes(main.with_name("layer.dl")) == ["DL4004"]


def test_tests_of_an_imported_file_are_its_own(write: Write) -> None:
    test = 'test "fails" {\n  use net = Nothing()\n  given x = 1\n  expect net.y == 1\n}\n'
    main = write({"main.dl": 'from "layer.dl" import Layer\n' + USES, "layer.dl": LAYER + test})
    assert codes(main) == []
    assert codes(main.with_name("layer.dl")) == ["DL3030"]


def test_an_error_in_a_file_imported_on_two_ways_is_told_once(write: Write) -> None:
    broken = LAYER.replace("Dense", "Dens")
    middle = 'from "layer.dl" import Layer\n' + USES
    main = write(
        {"main.dl": 'from "a.dl" import Net\n' + middle.replace("Net", "Own"), "a.dl": middle, "layer.dl": broken}
    )
    assert codes(main) == ["DL1003"]


def test_the_doc_comment_of_an_imported_model_is_found(project: Path) -> None:
    assert "A small network." in run("doc", f"{project}:MLP").stdout
    assert "The same width." in run("doc", "project/nets.dl:Layer").stdout
    assert run("doc", f"{project}:sets.points").exit_code == 1


# ---------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("setting", "file", "line"),
    [
        ("model.MLP.hidden=6", "nets.dl", "model MLP(hidden: int = 6) {"),
        ("data.sets.points.split.val=0.25", "data/sets.dl", "split = { val: 0.25 }"),
        ("train.fit.net.hidden=6", "main.dl", "use net   = MLP(hidden = 6)"),
    ],
)
def test_a_setting_goes_into_the_file_that_declares_its_place(
    project: Path, setting: str, file: str, line: str
) -> None:
    checked = check_program(read_source(project), [setting])
    (changed,) = (unit for unit in checked.unit.all() if unit.source.name == f"project/{file}")
    assert line in changed.source.text
    assert line not in (project.parent / file).read_text()


def test_the_default_of_an_imported_model_wins_over_every_use_of_it(project: Path) -> None:
    checked = check_program(read_source(project), ["hidden=9"])
    assert "MLP(hidden = 9)" in checked.source.text
    assert checked.file.trains["fit"].uses["net"].hypers == {"hidden": 9}


def test_settings_reach_what_an_imported_train_block_uses(project: Path, write: Write) -> None:
    write({"again.dl": 'from "main.dl" import fit\n'})
    trainer = dslc.load("project/again.dl").trainer(set={"train.fit.net.hidden": 7})
    assert trainer.models["net"].params["a.d.bias"].shape == (7,)


# ---------------------------------------------------------------------------------------------- runs


def test_a_run_stands_alone_when_its_folder_is_moved(project: Path, tmp_path: Path) -> None:
    done = run("train", project, "--out", "run", "-q")
    assert done.exit_code == 0, done.stderr
    before = run("eval", "run", "--split", "train", "--json").stdout
    shutil.copy("project/data/points.npz", tmp_path / "elsewhere.npz")
    shutil.move("run", tmp_path / "moved")
    shutil.rmtree("project")
    after = run("eval", "moved", "--split", "train", "--json", "--data", "elsewhere.npz")
    assert after.exit_code == 0, after.stderr
    assert after.stdout.replace("moved", "run") == before
    again = run("train", "moved/config.dl", "--data", "elsewhere.npz", "--out", "again", "-q")
    assert again.exit_code == 0, again.stderr
    assert (tmp_path / "again/model.safetensors").read_bytes() == (tmp_path / "moved/model.safetensors").read_bytes()


def test_names_that_are_taken_get_others_in_the_text_of_a_run(project: Path, write: Write) -> None:
    text = config_text(check_program(read_source(project)))
    write({"one.dl": text})
    assert "block Layer() {" in text
    assert "block Layer_nets() {" in text
    assert "## A small network.\nmodel MLP(" in text
    assert "import" not in text
    assert codes(Path("project/one.dl")) == []
    mine, one = (dslc.load(path).model("MLP").params for path in (project, "project/one.dl"))
    assert mine.keys() == one.keys()
    assert all(np.array_equal(mine[key], one[key]) for key in mine)


def test_a_layer_of_another_file_never_hides_a_standard_one_in_the_text_of_a_run(write: Write) -> None:
    dense = (
        "block Dense(units: int) {\n  dim D\n  input x: float[..., D]\n  output y: float[..., D]\n  y = x * units\n}\n"
    )
    own = dense + LAYER.replace("Dense(D)", "Dense(3)")
    text = 'from "own.dl" import Layer\n' + USES.replace("x |> Layer()", "x |> Layer() |> d: Dense(2, bias = false)")
    main = write({"main.dl": text, "own.dl": own})
    write({"one.dl": config_text(check_program(read_source(main)))})
    one = dslc.load("project/one.dl").model()
    assert list(one.params) == ["d.weight"]
    x = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(one(x=x)["y"], dslc.load(main).model()(x=x)["y"])


# ---------------------------------------------------------------------------------------------- files


def test_a_text_that_is_no_file_imports_nothing() -> None:
    with pytest.raises(dslc.DslcError) as caught:
        dslc.parse('from "nets.dl" import MLP')
    assert [d.code for d in caught.value.diagnostics] == ["DL1080"]


def test_another_folder_has_to_be_allowed_by_name(write: Write) -> None:
    main = write({"main.dl": 'from "../other/layer.dl" import Layer\n' + USES, "../other/layer.dl": LAYER})
    assert codes(main) == ["DL1083"]
    assert codes(main, Path("other")) == []
    assert run("check", main).exit_code == 1
    assert run("check", main, "--allow-import", "other").exit_code == 0
    assert dslc.load(main, allow_import=["other"]).models == ("Net",)


def test_a_link_out_of_the_folder_is_followed_before_it_is_judged(write: Write) -> None:
    main = write({"main.dl": 'from "link.dl" import Layer\n' + USES, "../other/layer.dl": LAYER})
    Path("project/link.dl").symlink_to(Path("other/layer.dl").resolve())
    assert codes(main) == ["DL1083"]
    Path("project/link.dl").unlink()
    Path("project/layer.dl").write_text(LAYER)
    Path("project/link.dl").symlink_to("layer.dl")
    assert codes(main) == []


def test_a_program_that_is_a_link_imports_from_the_folder_the_link_is_in(write: Write) -> None:
    write({"../other/real.dl": 'from "layer.dl" import Layer\n' + USES, "layer.dl": LAYER})
    Path("project/main.dl").symlink_to(Path("other/real.dl").resolve())
    assert codes(Path("project/main.dl")) == []


@pytest.mark.parametrize("name", ["loop.dl", "pipe.dl", "\\u0000.dl", "x" * 300 + ".dl", "", ".", "layer.dl/x.dl"])
def test_odd_paths_are_refused_with_a_message(write: Write, name: str) -> None:
    main = write({"main.dl": f'from "{name}" import Layer\n' + USES, "layer.dl": LAYER})
    Path("project/loop.dl").symlink_to("loop.dl")
    os.mkfifo("project/pipe.dl")
    assert codes(main) == ["DL1082"]


def test_a_file_larger_than_any_program_is_not_read(write: Write) -> None:
    main = write({"main.dl": 'from "big.dl" import Layer\n' + USES, "big.dl": "#" * 10_000_001})
    assert codes(main) == ["DL1082"]


def test_a_long_chain_of_imports_is_an_error(write: Write) -> None:
    def chain(length: int) -> Path:
        texts = {f"l{n}.dl": f'import "l{n + 1}.dl" as next\n' for n in range(length)}
        return write({"main.dl": 'import "l0.dl" as next\n', **texts, f"l{length}.dl": ""})

    assert "DL1085" not in codes(chain(MAX_CHAIN - 1))
    assert "DL1085" in codes(chain(MAX_CHAIN))


def test_two_files_that_import_each_other_are_a_circle_however_they_are_named(write: Write) -> None:
    main = write({"main.dl": 'import "sub/../a.dl" as a\n', "a.dl": 'import "./main.dl" as main\n', "sub/x": ""})
    assert codes(main) == ["DL1081"]
