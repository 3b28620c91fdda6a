"""One sentence of a story, and how moments and values look in it. No telephone number ever stands in one whole."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from bot.core.events import Json

Tone = Literal["ok", "no", "info"]
"""`ok`: it held or happened. `no`: it did not. `info`: everything else."""

SHANGHAI = ZoneInfo("Asia/Shanghai")
VALUE_MAX = 60
"""Characters of one value that are shown; the rest is an ellipsis."""
ENTRIES_MAX = 10
"""Entries of a list or a record that are shown; the rest is an ellipsis."""

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?([+-]\d{2}:\d{2}|Z)")
# A mobile number as people write it, its middle apart so that it can be masked.
_MOBILE = re.compile(r"(?<![0-9A-Za-z])((?:\+?86[ -]?)?1[3-9][0-9])[ -]?[0-9]{4}[ -]?([0-9]{4})(?![0-9A-Za-z])")
_UNQUOTED = frozenset({"•••", "{…}", "!"})
"""What the journal holds in place of values: a mask, a record, something that could not be read."""
_UNITS = ((86_400, "天"), (3_600, "小时"), (60, "分钟"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence. `kind` is the trace's, the type of the event, `timer`, `send`, or what stands now (standing.py).

    `event` is the id of the step's event or timer. `effect`, `content` and `outcome` are empty where they mean
    nothing; of a `send` the outcome is the state of its row, else the reason or the result. `at` is when it happened;
    of what stands now the moment it tells of, which may lie ahead.
    """

    kind: str
    text: str
    tone: Tone = "info"
    at: datetime | None = None
    event: str = ""
    journey: str = ""
    state: str = ""
    effect: str = ""
    content: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """The clock on the brand's wall: how moments look there. `near`: the year is said only when it is another."""

    zone: ZoneInfo = SHANGHAI
    near: datetime | None = None

    def moment(self, at: datetime) -> str:
        """`at` as `12月1日 10:00`, or `2027年1月5日 10:00`."""
        local = at.astimezone(self.zone)
        other_year = self.near is not None and self.near.astimezone(self.zone).year != local.year
        return f"{f'{local.year}年' if other_year else ''}{local.month}月{local.day}日 {local:%H:%M}"

    def written(self, value: Json) -> str:
        """A moment that the journal holds as text; `未知时间` when it holds none."""
        at = read_moment(value)
        return self.moment(at) if at else "未知时间"

    def spelled(self, value: Json) -> str:
        """`value` as a marketer would write it: 是, 否, 空, 'text', 12, and moments as above."""
        match value:
            case None:
                return "空"
            case bool():
                return "是" if value else "否"
            case str() if value in _UNQUOTED:
                return value
            case str():
                at = read_moment(value)
                return self.moment(at) if at else f"'{shortened(value)}'"
            case list():
                return f"[{_first([self.spelled(entry) for entry in value])}]"
            case dict():
                return "{" + _first([f"{name}: {self.spelled(entry)}" for name, entry in value.items()]) + "}"
            case _:
                return str(value)

    def pairs(self, values: Mapping[str, Json]) -> str:
        """`a = 1，b = 否`; empty for none."""
        return "，".join(f"{shortened(name)} = {self.spelled(value)}" for name, value in values.items())


def as_object(line: Line, zone: ZoneInfo = SHANGHAI) -> dict[str, Json]:
    """`line` as programs read it; `at` is ISO 8601 in `zone`, or null."""
    return {
        "at": line.at.astimezone(zone).isoformat() if line.at else None,
        "kind": line.kind,
        "event": line.event,
        "journey": line.journey,
        "state": line.state,
        "text": line.text,
        "tone": line.tone,
        "effect": line.effect,
        "content": line.content,
        "outcome": line.outcome,
    }


def span(seconds: float) -> str:
    """A duration in its largest whole unit: `7天`, `48小时`, `90秒`."""
    whole = int(seconds)
    size, unit = next(((size, unit) for size, unit in _UNITS if whole and whole % size == 0), (1, "秒"))
    return f"{whole // size}{unit}"


def shortened(text: str) -> str:
    """`text` on one line without control characters, telephone numbers masked, cut at `VALUE_MAX`."""
    line = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in masked(text))
    return line if len(line) <= VALUE_MAX else line[: VALUE_MAX - 1] + "…"


def masked(text: str) -> str:
    """`text` with every mobile number in it made unreadable: `138****8000`. Wide digits count as digits."""
    narrow = unicodedata.normalize("NFKC", text)
    return _MOBILE.sub(r"\1****\2", narrow) if _MOBILE.search(narrow) else text


def read_moment(value: Json) -> datetime | None:
    """The moment in a journal's text, None when it holds none."""
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        return None
    return datetime.fromisoformat(value)


def _first(parts: list[str]) -> str:
    rest = ["…"] if len(parts) > ENTRIES_MAX else []
    return "，".join(parts[:ENTRIES_MAX] + rest)
