"""The machine: its cores, who else works on it, and what its files stand on."""

import os
import platform
import sqlite3
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
SERVER_CORE, CLIENT_CORE = 0, 1


def facts(directory: Path) -> dict[str, object]:
    """What a reader must know of this machine to compare a figure with another's."""
    model = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cpu": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": int(_lines("/proc/meminfo")[0].split()[1]) // 1024,
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "file_system": file_system(directory),
    }


def file_system(directory: Path) -> str:
    """The kind of file system that `directory` lies on."""
    place = str(directory.resolve())
    mounts = [line.split()[1:3] for line in _lines("/proc/mounts")]
    fitting = [(point, kind) for point, kind in mounts if place == point or place.startswith(point.rstrip("/") + "/")]
    return max(fitting, key=lambda found: len(found[0]))[1]


def _lines(name: str) -> list[str]:
    return Path(name).read_text(encoding="utf-8").splitlines()


def cores() -> list[int]:
    """The cores of this machine."""
    return list(range(os.cpu_count() or 1))


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has used, its threads together and its dead children not."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


def memory_mib(pid: int) -> float:
    """What a process holds in memory now."""
    held = next(line for line in _lines(f"/proc/{pid}/status") if line.startswith("VmRSS"))
    return int(held.split()[1]) / 1024


@dataclass(frozen=True, kw_only=True)
class Load:
    """Processor seconds since the start: all cores' busy ones, and our own processes'."""

    busy_s: float
    total_s: float
    ours_s: float

    def foreign_since(self, before: "Load") -> float:
        """The share of the machine that others used since then."""
        total = self.total_s - before.total_s
        foreign = (self.busy_s - before.busy_s) - (self.ours_s - before.ours_s)
        return max(0.0, foreign / total) if total else 0.0


def load(pids: Iterable[int]) -> Load:
    """The load now; `pids`: our processes, which all live on until the next look."""
    ticks = [int(field) for field in _lines("/proc/stat")[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    # Interrupts and the hypervisor's share belong to nobody: part of what our own packets cost.
    ours = sum(cpu_of(pid) for pid in pids)
    shared = ticks[5] + ticks[6] + ticks[7]
    return Load(busy_s=(sum(ticks) - idle - shared) / _TICKS, total_s=sum(ticks) / _TICKS, ours_s=ours)
