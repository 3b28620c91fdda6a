"""Words for people: spans of time, values, and the guards that explain where a journey went."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.events import Json
from bot.sandbox.trials.story import Guard, Story

GUARDS_SHOWN = 2
"""Guards that explain a failure, the latest."""
LISTED_MAX = 12
_PARTS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def elapsed(since: datetime, at: datetime) -> str:
    """`T+20h`: how long after the beginning, in its two largest parts."""
    left = int((at - since) / timedelta(seconds=1))
    told = []
    for seconds, unit in _PARTS:
        count, left = divmod(left, seconds)
        if count:
            told.append(f"{count}{unit}")
    return f"T+{''.join(told[:2]) or '0'}"


def shown(value: Json) -> str:
    """A value as a marketer writes it."""
    match value:
        case None:
            return "空"
        case bool():
            return "true" if value else "false"
        case dict():
            return "{" + ", ".join(f"{name}: {shown(one)}" for name, one in value.items()) + "}"
        case list():
            return f"[{', '.join(shown(one) for one in value)}]"
        case _:
            return str(value)


def listed(words: Iterable[str]) -> str:
    """Words one after the other; without any, that there are none."""
    found = list(words)
    told = "、".join(found[:LISTED_MAX])
    return (told + ("…" if len(found) > LISTED_MAX else "")) or "（没有）"


def guard_lines(story: Story, zone: ZoneInfo, began_at: datetime) -> tuple[str, ...]:
    """The latest guards of the journey with their values, and what they were asked for."""
    lines: list[str] = []
    for guard, _ in zip(story.guards(), range(GUARDS_SHOWN), strict=False):
        verdict = "真" if guard.holds else "假"
        lines.append(f"{guard.state}: {guard.source} → {verdict}")
        lines.append(f"  {_values(guard)}  ← {elapsed(began_at, guard.at)} {guard.because}")
    return tuple(lines)


def _values(guard: Guard) -> str:
    return "  ".join(f"{name} = {shown(value)}" for name, value in guard.values.items()) or "（没有读取任何值）"
