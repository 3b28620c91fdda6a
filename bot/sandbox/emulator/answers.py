"""What other systems answer to webhooks in the sandbox: well, unless somebody wants it otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.sandbox.emulator.wire import Json

REMEMBERED_MAX = 10_000
"""Errands whose first answer is remembered; beyond, the oldest are forgotten, as partners do."""
DELAY_MAX_S = 60.0
ANSWERS_MAX = 200
"""Operations that answers are set for; more are refused."""


class BadAnswer(ValueError):
    """It says no answer: `{ok: …}`, `{fail: STATUS}`, `{timeout: true}` or `{lost: …}`, with `delay_s` and `times`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedAnswer:
    """`silent`: no answer ever comes. `lost`: it is done, and the answer is lost on its way, once for each errand.

    `times`: so often, and then as before; None: always.
    """

    status: int = 200
    body: Json = None
    silent: bool = False
    lost: bool = False
    delay_s: float = 0.0
    times: int | None = None


def read_answer(value: Json) -> PlayedAnswer:
    """The answer that `{ok: {…}}`, `{fail: 500}`, `{timeout: true}` or `{lost: {…}}` stands for. BadAnswer: none."""
    if not isinstance(value, dict):
        raise BadAnswer("an answer is a table: ok, fail, timeout or lost")
    delay_s, times = value.get("delay_s", 0), value.get("times")
    if isinstance(delay_s, bool) or not isinstance(delay_s, int | float) or not 0 <= delay_s <= DELAY_MAX_S:
        raise BadAnswer(f"delay_s is 0 to {DELAY_MAX_S:.0f} seconds")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise BadAnswer("times is a whole number from 1 on")
    kinds = [key for key in value if key not in ("delay_s", "times")]
    match kinds, value:
        case ["ok"], {"ok": body}:
            return PlayedAnswer(body=body, delay_s=delay_s, times=times)
        case ["fail"], {"fail": int() as status} if 300 <= status <= 599:
            return PlayedAnswer(status=status, delay_s=delay_s, times=times)
        case ["lost"], {"lost": body}:
            return PlayedAnswer(body=body, lost=True, times=times)
        case ["timeout"], {"timeout": True}:
            return PlayedAnswer(silent=True, times=times)
        case _:
            raise BadAnswer("an answer is {ok: …}, {fail: 300 to 599}, {timeout: true} or {lost: …}")


class Answers:
    """Which operation is answered how. An errand that was answered well is answered so again, as its key tells."""

    def __init__(self) -> None:
        self._set: dict[str, list[PlayedAnswer]] = {}
        self._given: dict[str, PlayedAnswer] = {}
        self.done: dict[str, int] = {}

    def put(self, call: str, answer: PlayedAnswer) -> None:
        """Answer `call` (`crm.create_lead`) so from now on; one with `times` first. BadAnswer: too many."""
        standing = self._set.get(call, [])
        if len(standing) >= ANSWERS_MAX or (not standing and len(self._set) >= ANSWERS_MAX):
            raise BadAnswer(f"at most {ANSWERS_MAX} operations are answered, and {ANSWERS_MAX} times each")
        self._set[call] = [answer, *standing] if answer.times is not None else [answer]

    def clear(self) -> None:
        """Answer everything well again."""
        self._set.clear()

    def answer(self, call: str, key: str) -> PlayedAnswer:
        """What `call` gets now. `done` counts what was really done: a repeat of the same key is not."""
        if key in self._given:
            return self._given[key]
        found = self._next(call) or PlayedAnswer(body={"ok": True, "id": key[:8]})
        if not found.silent and 200 <= found.status < 300:
            self._given[key] = replace(found, lost=False)
            self.done[call] = self.done.get(call, 0) + 1
            while len(self._given) > REMEMBERED_MAX:
                del self._given[next(iter(self._given))]
        return found

    def _next(self, call: str) -> PlayedAnswer | None:
        standing = self._set.get(call, [])
        if not standing:
            return None
        first, *rest = standing
        if first.times is not None:
            left = first.times - 1
            self._set[call] = [replace(first, times=left), *rest] if left else rest
        return first

    def state(self) -> Mapping[str, Json]:
        """How often each operation was done, as JSON."""
        return dict(self.done)
