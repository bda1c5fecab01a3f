"""What is done with a run: evaluate it, predict with it, export it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.prove_onnx import Proof
from dslc.check.id_limits import id_limits
from dslc.check.typed import TypedData
from dslc.diagnostics import Diagnostic, DslcError
from dslc.driver.data import Opened, arrays_of_parts, open_data
from dslc.driver.evaluated import Evaluation
from dslc.driver.evaluation import BATCH, classify_part, evaluate_part, open_engine
from dslc.driver.exporting import export_model
from dslc.driver.feeding import convert
from dslc.driver.field_programs import compile_fields
from dslc.driver.frontend import check_program, read_source
from dslc.driver.meanings import MAX_BYTES
from dslc.driver.models import choose, choose_model, compile_model, initial_params
from dslc.driver.predictions import as_json, write_results
from dslc.driver.rows import read_rows
from dslc.driver.runs import OpenedRun, open_run
from dslc.driver.tables import dialect_of, runtime_reads
from dslc.graph import Graph
from dslc.lower import lower
from dslc.record import replace
from dslc_runtime import ort
from dslc_runtime.data.csv_file import Dialect
from dslc_runtime.data.fields import materialise, require_ids
from dslc_runtime.data.learned import require_learned
from dslc_runtime.data.parts import Part
from dslc_runtime.data.read import Read
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.evaluate import predict
from dslc_runtime.threads import limited

Array = npt.NDArray[Any]


# ---------------------------------------------------------------------------------------------- eval


def evaluate_run(path: Path, data: Path | None, split: str | None, engine: str, device: str) -> Evaluation:
    """Loss and metrics of a run, with as many threads as it was trained with.

    Args:
        data: read the data from here instead.
        split: a part, or "all": the rows of the first source, of which none are split off. By default rows that the run was not
            trained on, as far as there are such.

    Raises:
        RuntimeFault: the run, the data, the engine or the device cannot be had.
    """
    run = open_run(path, data)
    typed = run.typed
    fields = tuple(typed.inference.body.inputs)
    split = split or ("test" if "test" in typed.data.sources else None)
    own = str(run.folder.read_about().get("data"))
    divided = own if split is None else "" if split == "all" else None
    limits, learned = id_limits(typed.inference.body), run.learned()
    try:
        opened = open_data(run.checked, typed.data, fields, limits, learned, divided, part=split)
    except RuntimeFault as fault:
        if fault.code == "DL5003" and data is not None and (parts := arrays_of_parts(typed.data)):
            fault.help = f"`--split` says which part to read, and no other is read: {parts}"
        raise
    chosen = split or _usual_part(opened, own == opened.fingerprint)
    part = opened.whole() if chosen == "all" else opened.part(chosen)
    with limited(run.threads):
        figures = evaluate_part(run.typed, part, run.params, engine, device)
        classes = classify_part(run.typed, part, run.params, engine, device)
    names = opened.labels.get(classes.field, ()) if classes is not None else ()
    return Evaluation(chosen, len(part), f"{engine}, {device}", figures, classes and classes.report, names)


def _usual_part(opened: Opened, known: bool) -> str:
    """All rows of data the run was not trained on; of those that it was, `test`, `val` or `train`. A `test` source comes before."""
    if not known:
        return "all"
    return next(part for part in ("test", "val", "train") if part in opened.parts)


# ---------------------------------------------------------------------------------------------- predict


def predict_run(
    path: Path, name: str | None, source: Path, target: Path | None, raw: bool, engine: str, device: str
) -> str:
    """The outputs for the rows of a file: as JSON text, or written to `target`, and then a line that says so.

    Args:
        name: the `use` name of the model, where the train block uses several.
        raw: the file holds the model's inputs as they are; else raw columns, to which field expressions are applied. An
            input that is no field (a generator's noise) is taken as it is.
    """
    run = open_run(path)
    use = choose("use", list(run.typed.uses), name, str(path))
    compiled = compile_model(run.typed.uses[use])
    inputs, data = compiled.program.inputs, run.typed.data
    fields = [name for name in inputs if name in data.fields and not raw]
    others = [name for name in inputs if name not in fields]
    specs = [data.fields[name] for name in fields]
    reads = runtime_reads([read for spec in specs for read in spec.reads])
    dialect = dialect_of(data.sources["train"]) if fields else Dialect()
    table = read_rows(source, [*reads, *(Read(name, (name,)) for name in others)], _other_names(data), dialect)
    arrays = convert({name: inputs[name] for name in others}, {name: table.read(name) for name in others})
    if fields:
        given = replace(data.sources["train"], kind="given", path=str(source))
        programs = [field.program for field in compile_fields(run.checked, data, specs, table, given)]
        learned = run.learned()
        require_learned(programs, learned)
        arrays |= materialise(table, programs, learned)
    for field, limit in id_limits(run.typed.uses[use].body).items():
        require_ids(str(source), field, arrays[field], limit.count, limit.things, limit.holder)
    compiled.program.sizes_of({name: array.shape for name, array in arrays.items()})  # the same refusal on every engine
    graph = lower(compiled.typed.body, compiled.typed.outputs)
    with limited(run.threads):
        results = _outputs(run, use, graph, arrays, engine, device)
    labels = run.meanings()[use].labels(results)
    if target is None:
        return as_json({**results, **labels})
    write_results(target, results, labels)
    return f"{table.rows} rows: {target}"


def _outputs(
    run: OpenedRun, use: str, graph: Graph, arrays: Mapping[str, Array], engine: str, device: str
) -> dict[str, Array]:
    batched = all(value.shape and not isinstance(value.shape[0], int) for value in graph.outputs.values())
    ready = open_engine(graph, run.params_of(use), engine, device)
    return predict(ready, Part({k: np.asarray(v, order="C") for k, v in arrays.items()}), BATCH if batched else None)


def _other_names(data: TypedData) -> dict[str, Sequence[str]]:
    """The names that columns have in the program's own files, where these are others."""
    specs = [spec for spec in data.sources.values() if spec.kind == "npz"]
    columns = dict.fromkeys(name for spec in specs for name in spec.columns)
    return {name: tuple(dict.fromkeys(str(s.columns[name]) for s in specs if name in s.columns)) for name in columns}


# ---------------------------------------------------------------------------------------------- export


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export has to say."""

    text: str
    warnings: tuple[Diagnostic, ...] = ()


def export_run(path: Path, use: str | None, target: Path, opset: int) -> str:
    """Write the model of a run as ONNX; `use` names one where the train block uses several."""
    run = open_run(path)
    chosen = choose("use", list(run.typed.uses), use, str(path))
    facts, large = run.meanings()[chosen].metadata()
    proof = export_model(compile_model(run.typed.uses[chosen]), run.params_of(chosen), target, opset, facts)
    without = f"; without {', '.join(large)}, of more than {MAX_BYTES >> 20} MiB" if large else ""
    return _said(target, proof) + without


def export_file(
    path: Path,
    name: str | None,
    target: Path,
    opset: int,
    settings: Sequence[str],
    seed: int,
    allowed: Sequence[Path] = (),
) -> Exported:
    """Write a model with initial parameters as ONNX."""
    if not path.exists():
        raise DslcError([Diagnostic("DL0050", f"there is no run and no program `{path}`")])
    checked = check_program(read_source(path), settings, allowed=allowed, about=name)
    compiled = compile_model(choose_model(checked, name, {}))
    proof = export_model(compiled, initial_params(compiled.typed.body.params, seed), target, opset)
    return Exported(f"{_said(target, proof)}; its parameters are initial values, not trained", checked.warnings)


def _said(target: Path, proof: Proof) -> str:
    if not proof.sizes:
        why = "no small sizes fit the model" if ort.is_installed() else "ONNX Runtime is not installed (`dslc[cpu]`)"
        return f"{target}: written; not compared with NumPy, because {why}"
    sizes = ", ".join(map(str, proof.sizes))
    return f"{target}: equal to NumPy within {proof.worst:.1e} at batch sizes {sizes}"
