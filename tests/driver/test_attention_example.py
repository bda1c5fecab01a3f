"""A Transformer written in tensor notation: the design's example learns, and its export answers as it does."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import dslc

ROOT = Path(__file__).parents[2]
EXAMPLE = (
    Path(os.environ.get("DSLC_DATA", ROOT.parent / "shared" / "data")).parent / "design" / "examples" / "attention.dl"
)

TRAIN = """
data words {
  source = npz("words.npz")
  field tokens: i64[6] = source["tokens"]
  field kind: i64[]    = source["kind"]
}
train reader {
  use net   = Encoder(vocab = 12, d = 16, depth = 1, classes = 3)
  data      = words
  loss      = cross_entropy(net.logits, data.kind)
  metrics   = { accuracy: accuracy(net.logits, data.kind) }
  optimizer = adam(lr = 3e-3)
  batch     = 25
  epochs    = 8
}
"""


@pytest.mark.skipif(not EXAMPLE.exists(), reason="the design's examples are not here; see DSLC_DATA")
def test_the_example_learns_which_third_of_the_words_is_commonest_and_exports(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    tokens = generator.integers(0, 12, (400, 6))
    votes = np.stack([(tokens // 4 == kind).sum(1) for kind in range(3)], 1)
    np.savez(tmp_path / "words.npz", tokens=tokens, kind=votes.argmax(1))
    program = tmp_path / "reader.dl"
    program.write_text(EXAMPLE.read_text(encoding="utf-8") + TRAIN, encoding="utf-8")
    run = dslc.load(program).trainer("reader").fit()
    assert run.history[-1]["accuracy"] > 0.85
    net = run.models["net"]
    net.export(tmp_path / "reader.onnx")
    session = pytest.importorskip("onnxruntime").InferenceSession(
        str(tmp_path / "reader.onnx"), providers=["CPUExecutionProvider"]
    )
    for sizes in ((1, 1), (5, 9)):
        words = generator.integers(0, 12, sizes)
        (found,) = session.run(None, {"tokens": words})
        np.testing.assert_allclose(found, net(tokens=words)["logits"], rtol=1e-4, atol=1e-5)
