"""What a benchmark prints: one JSON object, or the same for people."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

FOREIGN_MAX = 0.10
CLIENT_CPU_MAX = 0.90
ROUNDS_MIN = 5
SECONDS_MIN = 30.0
WARM_UP_MIN = 5.0
BUYERS_MIN = 10_000
VOLATILE = ("tmpfs", "ramfs")


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most."""
    if not values:
        return {"median": 0.0, "least": 0.0, "most": 0.0}
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


@dataclass(kw_only=True)
class Report:
    """The figure of one benchmark. `ratio` None: nothing could be measured. `voids`: why it does not count."""

    name: str
    unit: str
    goal: str
    ratio: float | None = None
    floor: dict[str, Any] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    voids: list[str] = field(default_factory=list)

    def void(self, why: str) -> None:
        """This figure does not count, because of `why`."""
        if why not in self.voids:
            self.voids.append(why)

    def judge_load(self, run: dict[str, Any]) -> None:
        """Void when somebody else worked on the machine, or the client had no room to spare."""
        if run.get("foreign_cpu", 0.0) > FOREIGN_MAX:
            self.void(f"others used {run['foreign_cpu']:.0%} of the machine")
        if run.get("client_cpu", 0.0) > CLIENT_CPU_MAX:
            self.void(f"the load client was saturated: {run['client_cpu']:.0%} of its core")

    def judge_settings(self) -> None:
        """Void when the run was too short, or its files lie in memory."""
        if self.machine.get("file_system") in VOLATILE:
            self.void(f"the files lie on {self.machine['file_system']}")
        if self.settings.get("rounds", ROUNDS_MIN) < ROUNDS_MIN:
            self.void(f"only {self.settings['rounds']} rounds")
        if self.settings.get("seconds", SECONDS_MIN) < SECONDS_MIN:
            self.void(f"only {self.settings['seconds']} s measured")
        if self.settings.get("warm_up_s", WARM_UP_MIN) < WARM_UP_MIN:
            self.void(f"only {self.settings['warm_up_s']} s of warm-up")

    def as_json(self) -> str:
        """The object that programs read."""
        told = {
            "name": self.name,
            "ratio": self.ratio,
            "goal": self.goal,
            "floor": self.floor,
            "base": self.base,
            "measured": self.measured,
            "unit": self.unit,
            "runs": self.runs,
            "settings": self.settings,
            "machine": self.machine,
            "void_reason": "; ".join(self.voids) or None,
        }
        return json.dumps(told, ensure_ascii=False, default=str)

    def as_text(self) -> str:
        """The same for people: figure first, then what it was measured with."""
        shown = "none" if self.ratio is None else f"{self.ratio:.3f}"
        lines = [f"{self.name}: ratio {shown} (goal {self.goal}), in {self.unit}"]
        for title in ("measured", "floor", "base", "settings", "machine"):
            lines += [f"  {title}"] + [f"    {key}: {_short(value)}" for key, value in getattr(self, title).items()]
        lines.append(f"  VOID: {'; '.join(self.voids)}" if self.voids else "  valid")
        return "\n".join(lines)


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(inner)}" for key, inner in value.items())
    return str(value)
