"""The product and both platforms in one process on virtual time, with faults drawn from a seed (benchmarks.md 3)."""
