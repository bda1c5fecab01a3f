"""Files that ship with the package are found beside it in a checkout and inside it in a wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import dslc
from dslc.resources import grammar_path, models_path


def test_they_are_found_in_a_checkout() -> None:
    assert grammar_path().read_text(encoding="utf-8").startswith("// The grammar")
    assert (models_path() / "xor.dl").is_file()


def test_they_are_found_inside_the_package_as_a_wheel_lays_them_out(tmp_path: Path) -> None:
    package = Path(dslc.__file__).parent
    (tmp_path / "dslc" / "grammar").mkdir(parents=True)
    (tmp_path / "dslc" / "models").mkdir()
    (tmp_path / "dslc" / "__init__.py").touch()
    shutil.copy(package / "resources.py", tmp_path / "dslc")
    shutil.copy(grammar_path(), tmp_path / "dslc" / "grammar")
    code = "from dslc.resources import *; print(grammar_path().is_file(), grammar_path(), models_path().is_dir())"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", str(tmp_path.resolve() / "dslc" / "grammar" / "dl.lark"), "True"]
