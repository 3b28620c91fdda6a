"""The append-only record of everything that crossed the platforms' border."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal, TypeAlias

import orjson

from bot.runtime.ports import Clock
from bot.sandbox.clock import machine_now
from bot.sandbox.emulator.log_file import LogFile
from bot.sandbox.emulator.wire import Json

LINES_MAX = 100_000
"""Lines kept in memory; older ones are only in the file."""

Direction: TypeAlias = Literal["in", "out", "act", "note"]

_SECRET_KEYS = frozenset({"access_token", "secret", "appsecret", "corpsecret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `in`: a request to the platform; `out`: a callback from it; `act`: a person did something.

    `reply_sent`: whether the verdict also reached the wire; None where there is no reply to send. `fault`: the id of
    the blow that made it what it is, empty when none did. Number and times are given when it is appended.
    """

    direction: Direction
    platform: str
    endpoint: str
    account: str = ""
    request: Json = None
    reply: Json = None
    verdict: str = "ok"
    unfaithful: bool = False
    reply_sent: bool | None = None
    fault: str = ""
    seq: int = 0
    real_at: str = ""
    virtual_at: str = ""


class Traffic:
    """Appends lines, in memory and, with a `path`, to a file. Without one nothing is ever waited for."""

    def __init__(self, clock: Clock, *, path: Path | None = None, real: Callable[[], datetime] = machine_now) -> None:
        self._clock = clock
        self._real = real
        self._lines: deque[Line] = deque(maxlen=LINES_MAX)
        self._seq = 0
        self._file = LogFile(path) if path is not None else None

    def append(self, line: Line) -> Line:
        """Record `line`, numbered and dated. Secrets and tokens are blotted out; message bodies are kept.

        It is on the disk only when `durable` has returned after this.
        """
        self._seq += 1
        # Written out, because this is done for every line and `replace` takes three times as long.
        numbered = Line(
            direction=line.direction,
            platform=line.platform,
            endpoint=line.endpoint,
            account=line.account,
            request=_blotted(line.request),
            reply=_blotted(line.reply),
            verdict=line.verdict,
            unfaithful=line.unfaithful,
            reply_sent=line.reply_sent,
            fault=line.fault,
            seq=self._seq,
            real_at=self._real().isoformat(),
            virtual_at=self._clock.now().isoformat(),
        )
        self._lines.append(numbered)
        if self._file is not None:
            self._file.write(as_json(numbered))
        return numbered

    @property
    def seq(self) -> int:
        """The number of the last line, 0 before the first."""
        return self._seq

    async def durable(self) -> None:
        """Wait until every line appended so far is on the disk; at once without a file. OSError: it cannot be."""
        if self._file is not None:
            await self._file.durable()

    def after(self, seq: int, *, limit: int = LINES_MAX) -> list[Line]:
        """The lines with a number above `seq`, oldest first, at most `limit`. Lines no longer in memory are missing."""
        gone = self._seq - len(self._lines)
        start = max(0, seq - gone)
        return list(islice(self._lines, start, start + limit))

    def unfaithful(self) -> list[Line]:
        """The lines of requests that the fact sheet does not list."""
        return [line for line in self._lines if line.unfaithful]

    async def close(self) -> None:
        """Sync and close the file. Later lines are kept in memory only."""
        if self._file is not None:
            file, self._file = self._file, None
            await file.close()


_NAMES = tuple(field.name for field in fields(Line))


def as_json(line: Line) -> bytes:
    """One line as JSON, without a line end."""
    told = {name: getattr(line, name) for name in _NAMES}
    try:
        return orjson.dumps(told)
    except TypeError:  # a lone surrogate or a number of more than 64 bits, which somebody posted
        return json.dumps(told, ensure_ascii=False).encode(errors="backslashreplace")


def _blotted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: "***" if key in _SECRET_KEYS else _blotted(inner) for key, inner in value.items()}
    return value
