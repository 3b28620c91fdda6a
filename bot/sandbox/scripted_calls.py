"""Webhooks answered by a script, without a network: for journey tests, whose time is virtual."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.core.errands import CallWebhook
from bot.core.events import Json
from bot.core.ids import EffectId
from bot.core.library import Library
from bot.core.states import Webhook
from bot.runtime.ports import Answered, Unanswered
from bot.sandbox.emulator.answers import Answers, read_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `key` is the same for every try of one errand."""

    call: str
    key: EffectId
    body: Mapping[str, Json]
    at: datetime


class ScriptedCalls:
    """A `Caller` for `app.Seams(asking=lambda _: scripted)`: answers as `answers` say, well unless told otherwise.

    `mocks` as in a test file: `{"crm.create_lead": {"ok": {...}}}`, `{"fail": 500}`, `{"timeout": true}`. ValueError:
    one says no answer.
    """

    def __init__(self, targets: frozenset[str], mocks: Mapping[str, Json] | None = None) -> None:
        self.targets = targets
        self.answers = Answers()
        self.asked: list[Asked] = []
        for call, answer in (mocks or {}).items():
            self.answers.put(call, read_answer(answer))

    async def call(self, request: CallWebhook, *, key: EffectId, at: datetime) -> Answered | Unanswered:
        """Answer at once; a silence is over at once too, and is asked again later on the virtual clock."""
        self.asked.append(Asked(call=request.name, key=key, body=request.body, at=at))
        found = self.answers.answer(request.name, key)
        if found.silent or found.lost:
            return Unanswered(why="timeout", may_be_taken=True)
        return Answered(status=found.status, body=found.body)


def targets_in(library: Library) -> frozenset[str]:
    """The webhooks that any journey asks."""
    states = (state for journey in library.journeys.values() for state in journey.states.values())
    return frozenset(state.doing.target for state in states if isinstance(state.doing, Webhook))
