"""`info` and `doc`: what a model is, and everything a program can name, on the command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path


def test_info_counts_parameters(dslc, toy: Path) -> None:
    assert re.search(r"^total +31$", dslc("info", toy).stdout, re.MULTILINE)
    assert re.search(r"^total +59$", dslc("info", toy, "--set", "hidden=8").stdout, re.MULTILINE)


def test_info_json_is_json(dslc, toy: Path) -> None:
    found = json.loads(dslc("info", toy, "--json").stdout)
    assert found["model"] == "Toy"
    assert set(found["parameters"]) == {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}
    assert found["flops"]["inference"] == "59 * B"
    assert json.loads(dslc("info", toy, "--json", "--batch", "2").stdout)["flops"]["inference"] == 118


def test_info_for_given_sizes_tells_numbers(dslc, toy: Path) -> None:
    shown = dslc("info", toy, "--sizes", "B=10").stdout
    assert re.search(r"^FLOPs at B = 10 +inference +training step$", shown, re.MULTILINE)
    assert re.search(r"^fc1 +280 +560$", shown, re.MULTILINE)
    assert "memory at B = 10" in shown


def test_info_refuses_a_size_that_the_model_does_not_have(dslc, toy: Path) -> None:
    result = dslc("info", toy, "--sizes", "C=10")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error[DL6041]: `Toy` has no run-time size `C`\n  = note: its run-time sizes are `B`\n" in result.stderr
    for wrong in ("B", "B=", "B=0", "B=x", "=3"):
        assert dslc("info", toy, "--sizes", wrong).exit_code == 2


def test_doc_without_a_name_lists_all_by_kind(dslc) -> None:
    shown = dslc("doc").stdout
    assert re.match(r"Layers\n(  \w.*\n)*  Dense  ", shown)
    assert "\nFunctions: activations\n  sigmoid  " in shown
    assert "\nOptimizers\n" in shown


def test_doc_of_a_symbol_is_that_of_its_operator(dslc) -> None:
    result = dslc("doc", "@")
    assert result.exit_code == 0
    assert result.stdout.startswith("matmul(a, b)\n")


def test_doc_of_an_unknown_name_proposes_one_and_exits_1(dslc) -> None:
    result = dslc("doc", "sofmax")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error[DL6040]: there is no documentation of `sofmax`\n  = help: did you mean `softmax`?\n" in result.stderr


def test_doc_of_an_option_of_a_command_names_the_command(dslc) -> None:
    help_ = "  = help: `--threads` is an option of `dslc train`: see `dslc train --help`\n"
    assert help_ in dslc("doc", "threads").stderr
    assert "`--error-format` is an option of `dslc check`, `dslc fmt`," in dslc("doc", "error_format").stderr


def test_doc_of_a_name_of_several_things_begins_with_all_of_them(dslc) -> None:
    shown = dslc("doc", "split").stdout
    assert shown.startswith("`split` is 2 things:\n  split(x, parts, axis = -1)  function")
    assert "\n\n\nsplit = none\nsetting, data blocks\n" in shown
    assert [entry["kind"] for entry in json.loads(dslc("doc", "split", "--json").stdout)] == ["function", "setting"]
    assert dslc("doc", "data.split").stdout.startswith("split = none\n")


def test_doc_of_a_block_shows_its_comment_even_if_the_program_is_wrong_elsewhere(dslc, tmp_path: Path) -> None:
    program = tmp_path / "net.dl"
    program.write_text(
        "## Doubles.\n## Example: y = x |> Twice()\nblock Twice(n: int = 2) {\n  input x: float[...]\n"
        "  output y: float[...] = n * x\n}\nmodel M { input x: f32[2]; output y: f32[2] = nothing }\n"
    )
    shown = dslc("doc", f"{program}:Twice").stdout
    assert shown.startswith("Twice(n: int = 2)\nblock\n\nDoubles.\n\ninput   x: float[...]\n")
    assert "example\n  y = x |> Twice()" in shown
    assert "M()\nmodel" in dslc("doc", program).stdout
    assert "DL6040" in dslc("doc", f"{program}:Twce").stderr
    assert "did you mean `Twice`?" in dslc("doc", f"{program}:Twce").stderr


def test_doc_paints_names_and_code_only() -> None:
    from dslc.cli.documentation import _paint

    assert _paint("name", "relu") == "\x1b[36m\x1b[1mrelu\x1b[0m"
    assert _paint("code", "`x`") == "\x1b[36m`x`\x1b[0m"
    assert _paint("faint", "layer") == "\x1b[2mlayer\x1b[0m"


def test_doc_as_json_is_a_list_of_entries(dslc) -> None:
    (entry,) = json.loads(dslc("doc", "softmax", "--json").stdout)
    assert entry["options"] == [
        {"name": "axis", "default": "-1", "takes": "an axis; negative ones count from the end"},
    ]
    assert entry["facts"] == [{"title": "result", "text": "a probability"}]


def test_doc_imports_nothing_heavy() -> None:
    code = "import sys\nfrom dslc.cli import main\ntry: main(['doc', 'softmax'])\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "dslc.doc.text" in loaded
    assert not loaded & {"numpy", "networkx", "onnx", "rich", "dslc_runtime"}
