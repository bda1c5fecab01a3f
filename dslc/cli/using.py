"""Commands that use a run: `eval`, `predict`, `export`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from dslc.cli.checking import split_name
from dslc.cli.options import common, imports
from dslc.cli.output import reporting

F = TypeVar("F", bound=Callable[..., object])


def engine_options(command: F) -> F:
    """Which engine computes, and where."""
    for option in (
        click.option(
            "--engine",
            type=click.Choice(["numpy", "ort"]),
            help="NumPy, or ONNX Runtime. NumPy unless a device is named.",
        ),
        click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True),
    ):
        command = option(command)
    return command


def choose_engine(engine: str | None, device: str) -> str:
    """The engine that is meant: only ONNX Runtime knows CUDA."""
    if device == "cuda" and engine == "numpy":
        raise click.UsageError("NumPy runs on the CPU; leave `--engine` out, or say `--engine ort`")
    return engine or ("ort" if device == "cuda" else "numpy")


@click.command("eval")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Read the data from this file or folder instead.")
@click.option(
    "--split",
    help="Which part, or `all` rows; by default `test`, else `all` of new data, `val` or `train` of the run's own.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@engine_options
@common
def eval_command(
    run: Path,
    data: Path | None,
    split: str | None,
    as_json: bool,
    engine: str | None,
    device: str,
    quiet: bool,
    error_format: str,
) -> None:
    """Show loss and metrics of a RUN; for a classifier also the confusion matrix and scores by class."""
    chosen = choose_engine(engine, device)
    from dslc.driver.evaluated import evaluation_json, evaluation_text
    from dslc.driver.faults import as_diagnostics
    from dslc.driver.using import evaluate_run

    with reporting(quiet, error_format) as output, as_diagnostics():
        found = evaluate_run(run, data, split, chosen, device)
        output.result(evaluation_json(found) if as_json else evaluation_text(found))


@click.command("predict")
@click.argument("run")
@click.option("--input", "source", required=True, type=click.Path(path_type=Path), help=".npz, .npy, .csv or .json")
@click.option(
    "-o", "target", type=click.Path(path_type=Path), help=".npz, .npy, .csv or .json; JSON on stdout by default."
)
@click.option(
    "--raw", is_flag=True, help="The file holds the model's inputs as they are; no field expressions are applied."
)
@engine_options
@common
def predict_command(
    run: str,
    source: Path,
    target: Path | None,
    raw: bool,
    engine: str | None,
    device: str,
    quiet: bool,
    error_format: str,
) -> None:
    """Compute a RUN's outputs for new rows: raw columns, to which the program's field expressions are applied.

    Where the run trained several models, name one by its `use`: RUN:net.
    """
    chosen = choose_engine(engine, device)
    from dslc.driver.faults import as_diagnostics
    from dslc.driver.using import predict_run

    with reporting(quiet, error_format) as output, as_diagnostics():
        path, name = split_name(run)
        text = predict_run(path, name, source, target, raw, chosen, device)
        if target is None:
            output.result(text)
        else:
            output.note(text)


@click.command("export")
@click.argument("source", metavar="RUN|FILE")
@click.option("-o", "target", required=True, type=click.Path(path_type=Path), help="The ONNX file to write.")
@click.option("--opset", type=int, default=18, show_default=True, help="The ONNX operator set; 18 is the one served.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a hyper-parameter (FILE only).")
@click.option("--seed", type=click.IntRange(min=0), help="Of the initial parameters (FILE only); 0 by default.")
@imports
@common
def export_command(
    source: str,
    target: Path,
    opset: int,
    settings: tuple[str, ...],
    seed: int | None,
    allowed: tuple[Path, ...],
    quiet: bool,
    error_format: str,
) -> None:
    """Write the model of a run, or of a program with initial parameters, as ONNX.

    The file is checked, and where ONNX Runtime is installed compared with NumPy at several batch sizes, before it is put in place.
    """
    from dslc.driver.faults import as_diagnostics
    from dslc.driver.using import export_file, export_run

    with reporting(quiet, error_format) as output, as_diagnostics():
        path, name = split_name(source)
        if path.is_dir():
            if settings or allowed or seed is not None:
                raise click.UsageError(
                    "`--set`, `--seed` and `--allow-import` are for programs; a run is as it was trained"
                )
            output.result(export_run(path, name, target, opset))
        else:
            found = export_file(path, name, target, opset, settings, seed or 0, allowed)
            output.diagnostics(found.warnings)
            output.result(found.text)
