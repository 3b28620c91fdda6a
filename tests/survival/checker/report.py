"""The verdict as a page and as JSON."""

import json
from typing import Any  # Any: JSON

from tests.survival.checker.judging import COLUMNS, Verdict

MEANINGS = {
    "lost in": "acknowledged and not consumed",
    "lost out": "expected, never accepted, and no excuse",
    "duplicate": "accepted twice where nothing allows it",
    "out of order": "against the order of events",
    "early": "before its due time or its question",
    "late": "beyond the bound, outages taken off",
    "stuck": "open although everything had time",
    "forbidden": "over window or cap, after an opt-out, over a colleague, unasked",
    "unexplained": "unknown sends that nothing explains",
}


def as_text(verdict: Verdict) -> str:
    """The table of columns, the repeats that are allowed, the excuses and the deaths."""
    lines = [f"{'column':<14}{'count':>8}  meaning"]
    lines += [f"{name:<14}{verdict.columns[name]:>8}  {MEANINGS[name]}" for name in COLUMNS]
    for name, examples in verdict.examples.items():
        lines += [f"  {name}: {example}" for example in examples]
    lines += ["", f"repeats that delivery.md 3.5 allows  {_counts(verdict.repeats)}"]
    lines += [f"messages that were excused           {_counts(verdict.excused)}"]
    lines += ["", f"deaths that hit something: {sum(verdict.deaths.values())}, that hit nothing: {verdict.missed}"]
    lines += [f"  {name:<16}{count:>6}" for name, count in verdict.deaths.items()]
    lines += ["", *(f"{name:<26}{value:>12,.1f}" for name, value in verdict.figures.items())]
    return "\n".join(lines)


def as_object(verdict: Verdict) -> dict[str, Any]:
    """The same as one object."""
    return {
        "columns": verdict.columns,
        "examples": dict(verdict.examples),
        "repeats": verdict.repeats,
        "excused": verdict.excused,
        "deaths": verdict.deaths,
        "missed": verdict.missed,
        "figures": verdict.figures,
    }


def as_json(verdict: Verdict, **beside: object) -> str:
    """One line of JSON; `beside`: what else belongs into it."""
    return json.dumps({**beside, **as_object(verdict)}, ensure_ascii=False)


def _counts(counts: dict[str, int]) -> str:
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"{sum(counts.values())}" + (f" ({told})" if told else "")
