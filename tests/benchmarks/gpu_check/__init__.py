"""Parts of the check on a GPU (tests/benchmarks/gpu.py), each of which answers one question."""
