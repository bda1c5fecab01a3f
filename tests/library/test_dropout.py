"""`Dropout`, `ChannelDropout` and `SequenceDropout`: what is set to 0 together, what the rest is multiplied by, and inference."""

from __future__ import annotations

import numpy as np
import pytest
from layer_goldens import elaborated

from dslc.backends.interpret import interpret
from dslc.lower import lower
from dslc.passes import optimize

P = 0.25
#: A layer, the shape it is applied to, and the shape of its mask.
CASES: dict[str, tuple[str, tuple[int, ...], tuple[int, ...]]] = {
    "elements": ("Dropout", (3, 4, 5), (3, 4, 5)),
    "features": ("ChannelDropout", (3, 4), (3, 4, 1)),
    "channels of sequences": ("ChannelDropout", (3, 4, 5), (3, 4, 1)),
    "channels of images": ("ChannelDropout", (3, 4, 5, 6), (3, 4, 1)),
    "channels of volumes": ("ChannelDropout", (2, 3, 2, 3, 2), (2, 3, 1)),
    "features of sequences": ("SequenceDropout", (3, 4, 5), (3, 1, 5)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_shares_an_element_of_the_mask_is_kept_and_scaled_together(case: str) -> None:
    layer, shape, drawn = CASES[case]
    sizes = f"f64[{', '.join(map(str, shape))}]"
    model = elaborated(f"input x: {sizes}\noutput y: {sizes}\ny = x |> {layer}({P})", training=True)
    graph = optimize(lower(model.body, model.outputs))
    (mask,) = graph.leaves("draw")
    assert mask.out.shape == drawn
    assert (mask.attrs.float("p"), mask.attrs.float("value")) == (1 - P, 1 / (1 - P))
    x = np.random.default_rng(1).normal(size=shape)
    kept = np.random.default_rng(2).choice([0.0, 1 / (1 - P)], size=drawn)
    found = interpret(graph, {"x": x, mask.attrs.str("stream"): kept})["y"]
    along = kept if kept.ndim == x.ndim and layer != "ChannelDropout" else kept.reshape(*shape[:2], *[1] * (x.ndim - 2))
    np.testing.assert_allclose(found, x * along, rtol=1e-15)


@pytest.mark.parametrize("layer", ["Dropout", "ChannelDropout", "SequenceDropout"])
def test_inference_and_a_rate_of_0_leave_the_value_as_it_is(layer: str) -> None:
    for rate, training in ((P, False), (0, True)):
        model = elaborated(f"input x: f64[2, 3, 4]\noutput y: f64[2, 3, 4]\ny = x |> {layer}({rate})", training)
        graph = lower(model.body, model.outputs)
        assert graph.producer(graph.outputs["y"]).op == "input"
