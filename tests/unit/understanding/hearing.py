"""Reading one text for one slot, on a Saturday morning in Shanghai."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.understood import Expectation, Expected, SlotType, Understanding
from bot.understanding import Index, indexed, read
from bot.understanding.index import NOTHING_KNOWN

ZONE = ZoneInfo("Asia/Shanghai")
SATURDAY = datetime(2026, 11, 21, 10, 0, tzinfo=ZONE)
NOTHING = Expectation()
ASK_BACK = "?"
"""What `value` gives when there are several possible values."""


def heard(
    text: str, expectation: Expectation = NOTHING, *, now: datetime = SATURDAY, index: Index = NOTHING_KNOWN
) -> Understanding:
    """What `text` says."""
    return read(text, expectation, now=now, zone=ZONE, index=index)


def wanting(
    kind: SlotType,
    *,
    asked: bool = True,
    options: Mapping[str, tuple[str, ...]] | None = None,
    listed: bool = False,
    of: str = "",
) -> Expectation:
    """One slot `j.s` of this type that is asked for, or comes later."""
    slot = Expected(slot="j.s", type=kind, asked=asked, options=options or {}, listed=listed, of=of)
    return Expectation(expected=(slot,))


def value(text: str, expectation: Expectation, *, now: datetime = SATURDAY, index: Index = NOTHING_KNOWN) -> object:
    """The value that `text` gives, None: none, `ASK_BACK`: several."""
    found = heard(text, expectation, now=now, index=index)
    if found.ambiguous:
        return ASK_BACK
    reading = found.readings.get("j.s")
    if reading is None:
        return None
    assert 0 <= reading.start < reading.end <= len(text)
    return reading.value


__all__ = ["ASK_BACK", "SATURDAY", "ZONE", "heard", "indexed", "value", "wanting"]
