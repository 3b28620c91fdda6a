"""Reads what the run left: the platforms' log, the list of deaths and faults, and the database."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any  # Any: JSON

from tests.survival.checker.platforms import Log
from tests.survival.checker.seen import Blow, Seen, seconds
from tests.survival.checker.tables import read_database


def read(directory: Path) -> Seen:
    """All that `directory` holds about a run that is over."""
    seen = Seen()
    Log(seen).read(_lines(directory / "platforms.jsonl"))
    seen.standstill_s = max((line["away_s"] for line in _lines(directory / "standstills.jsonl")), default=0.0)
    _read_deaths(seen, _lines(directory / "deaths.jsonl"))
    try:
        read_database(seen, directory / "zhitu.db")
    except sqlite3.DatabaseError as error:
        seen.broken = str(error)
    return seen


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _read_deaths(seen: Seen, lines: Iterator[dict[str, Any]]) -> None:
    waiting: list[dict[str, Any]] = []
    for line in lines:
        if line["kind"] != "risen":
            waiting.append(line)
            seen.broken = seen.broken or line.get("broken", "")
            continue
        seen.blows += [_blow(one, seconds(line["at"])) for one in waiting]
        waiting = []
    seen.blows += [_blow(one, seen.last_at) for one in waiting]


def _blow(line: dict[str, Any], until: float) -> Blow:
    in_flight = len(line["sending"]) + line["waiting"] + line["unconsumed"]
    return Blow(
        kind=line["kind"],
        name=line["name"],
        at=seconds(line["at"]),
        until=until,
        sending=frozenset(line["sending"]),
        hit=in_flight > 0,
    )
