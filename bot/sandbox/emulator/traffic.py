"""The append-only record of everything that crossed the platforms' border."""

import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Literal, TypeAlias

from bot.runtime.ports import Clock
from bot.sandbox.clock import machine_now
from bot.sandbox.emulator.wire import Json

LINES_MAX = 100_000
"""Lines kept in memory; older ones are only in the file."""

Direction: TypeAlias = Literal["in", "out", "act", "note"]

_SECRET_KEYS = frozenset({"access_token", "secret", "appsecret", "corpsecret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `in`: a request to the platform; `out`: a callback from it; `act`: a person did something.

    `reply_sent`: whether the verdict also reached the wire; None where there is no reply to send. Number and times
    are given when it is appended.
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
    seq: int = 0
    real_at: str = ""
    virtual_at: str = ""


class Traffic:
    """Appends lines, in memory and, with a `path`, to a file that is synced to the disk line by line."""

    def __init__(self, clock: Clock, *, path: Path | None = None, real: Callable[[], datetime] = machine_now) -> None:
        self._clock = clock
        self._real = real
        self._lines: deque[Line] = deque(maxlen=LINES_MAX)
        self._seq = 0
        self._file: IO[bytes] | None = path.open("ab") if path is not None else None

    def append(self, line: Line) -> Line:
        """Record `line`, numbered and dated. Secrets and tokens are blotted out; message bodies are kept."""
        self._seq += 1
        numbered = replace(
            line,
            seq=self._seq,
            real_at=self._real().isoformat(),
            virtual_at=self._clock.now().isoformat(),
            request=_blotted(line.request),
            reply=_blotted(line.reply),
        )
        self._lines.append(numbered)
        self._write(numbered)
        return numbered

    def after(self, seq: int, *, limit: int = LINES_MAX) -> list[Line]:
        """The lines with a number above `seq`, oldest first, at most `limit`."""
        return [line for line in self._lines if line.seq > seq][:limit]

    def unfaithful(self) -> list[Line]:
        """The lines of requests that the fact sheet does not list."""
        return [line for line in self._lines if line.unfaithful]

    def close(self) -> None:
        """Close the file. Later lines are kept in memory only."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, line: Line) -> None:
        if self._file is None:
            return
        self._file.write(as_json(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def as_json(line: Line) -> bytes:
    """One line as JSON, without a line end."""
    return json.dumps(asdict(line), ensure_ascii=False).encode(errors="backslashreplace")


def _blotted(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: "***" if key in _SECRET_KEYS else _blotted(inner) for key, inner in value.items()}
    return value
