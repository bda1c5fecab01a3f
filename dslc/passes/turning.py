"""Products are computed in the order of axes in which they are copied: for an engine that writes them where it is told.

The heads of an attention are such products, and so are the gradients of queries, keys and values.
"""

from __future__ import annotations

from dslc.graph import Builder, Graph
from dslc.ops.ir import Node, Value
from dslc.passes.dead import remove_dead


def turn_products(graph: Graph) -> Graph:
    """reshape(transpose(a @ b)) -> reshape(matmul_turned(a, b)), which copies nothing, where nothing else reads the product.

    The last axis has to be one of a matrix, as BLAS writes rows or columns.
    """
    builder = Builder()
    values: dict[int, Value] = {}
    for node in graph.order():
        product = _copied(graph, node)
        if product is None:
            values[node.id] = builder.copy(node, [values[value.id] for value in node.inputs])
            continue
        factors = (values[value.id] for value in product.inputs)
        with builder.at(node.span, node.layer):
            made = builder.apply("matmul_turned", *factors, axes=node.attrs["axes"])
        values[node.id] = builder.named(made, node.name)
    builder.graph.outputs |= {name: values[value.id] for name, value in graph.outputs.items()}
    builder.graph.updates |= {name: values[value.id] for name, value in graph.updates.items()}
    return remove_dead(builder.graph)


def _copied(graph: Graph, node: Node) -> Node | None:
    """The product that a node turns, where that alone reads it and reshaping it alone follows."""
    if node.op != "transpose" or node.out in graph.results():
        return None
    product, axes = graph.producer(node.inputs[0]), node.attrs.ints("axes")
    is_product = product.op == "matmul" and len(axes) > 2 and axes[-1] >= len(axes) - 2
    if not is_product or product.out in graph.results() or min(value.type.rank for value in product.inputs) < 2:
        return None
    is_copied = all(user.op == "reshape" for user, _ in graph.uses(node.out))
    return product if is_copied and len(graph.uses(product.out)) == 1 else None
