"""Graph -> NumPy program: written in NumPy's operators, planned, its source written and loaded. The body of a scan likewise."""

from __future__ import annotations

from dslc.backends.bodies import step_graph, wiring
from dslc.backends.numpy_forms import specialise
from dslc.backends.numpy_module import emit
from dslc.backends.plan import Plan, plan
from dslc.backends.plan.loops import TILE
from dslc.backends.sizes import Sizes, face_sizes
from dslc.backends.watch import Watch
from dslc.graph import Graph
from dslc.graph.arrays import constant_array, numpy_dtype
from dslc.ops.ir import Node
from dslc.ops.scan import scan_of
from dslc.passes.remat import recompute
from dslc.tensor_type import TensorType
from dslc_runtime.face import Face, TensorSpec
from dslc_runtime.generated import load
from dslc_runtime.program import Program
from dslc_runtime.random import DrawSpec
from dslc_runtime.recurrence import Wiring


def compile_numpy(
    graph: Graph, *, remat: bool = False, poison: bool = False, watch: Watch | None = None, tile: int = TILE
) -> Program:
    """Write a graph in NumPy's operators, plan it, write its source and load it.

    With `remat`, cheap results that the backward pass reads are computed again instead of kept: the same bytes in less memory.
    With `poison`, memory is overwritten as soon as nothing needs it, which must not change any result: a test's option.
    With `watch`, which is new, every line is timed by its clock. Long arrays are worked on in tiles of `tile` elements.

    Raises:
        InternalError: an operator has no kernel.
    """
    special = specialise(graph)
    made = plan(recompute(special) if remat else special, tile=tile)
    constants = tuple(map(constant_array, made.leaves_of("constant")))
    bodies = tuple(_body(node, poison, watch, tile) for node in made.scans())
    sizes = Sizes.of(made)
    source = emit(made, sizes, poison=poison, watch=watch)
    code = load(source, watch.clock if watch is not None else None)
    return Program(_face(made, sizes), code, constants, bodies, source)


def _body(node: Node, poison: bool, watch: Watch | None, tile: int) -> tuple[Program, Wiring]:
    """The program of one step of a scan, and how steps are connected."""
    scan = scan_of(node)
    inner = watch.inside(node) if watch is not None else None
    return compile_numpy(step_graph(scan), poison=poison, watch=inner, tile=tile), wiring(scan)


def _face(made: Plan, sizes: Sizes) -> Face:
    """What a plan's program takes and gives."""
    numbers = ("p", "value", "low", "high", "mean", "std")
    return Face(
        inputs={node.attrs.str("name"): _spec(node.out.type) for node in made.leaves_of("input")},
        params={node.attrs.str("key"): _spec(node.out.type) for node in made.leaves_of("param")},
        states={node.attrs.str("name"): _spec(node.out.type) for node in made.leaves_of("state")},
        outputs={name: _spec(value.type) for name, value in made.graph.outputs.items()},
        draws=tuple(
            DrawSpec(
                node.attrs.str("dist"),
                node.attrs.str("stream"),
                {name: node.attrs.float(name) for name in numbers if name in node.attrs},
            )
            for node in made.leaves_of("draw")
        ),
        scalars=tuple(node.attrs.str("name") for node in made.scalars),
        sizes=face_sizes(made, sizes.symbols),
        expressions=sizes.texts(),
    )


def _spec(type_: TensorType) -> TensorSpec:
    return TensorSpec(numpy_dtype(type_.dtype), tuple(d if isinstance(d, int) else str(d) for d in type_.shape))
