"""Defects planted on purpose, one at a time, to find out whether the simulation notices (benchmarks.md 3).

Each is a small change of the product, made only inside `planted(name)`. Those that need two processes, a stopped
process or a real disk are for the survival harness. Cursor before rows and double cron wait for their channels.
"""

from tests.defects.catalogue import DEFECTS, Defect, planted

__all__ = ["DEFECTS", "Defect", "planted"]
