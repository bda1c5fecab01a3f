"""Whole training steps against PyTorch, interleaved in one run: `python -m benchmarks`."""
