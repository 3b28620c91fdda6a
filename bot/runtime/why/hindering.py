"""What stands in the way of a customer's messages, from her journal, her other messages and the accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.effects import Trace
from bot.core.ids import EffectId
from bot.runtime.why.detail import Detail
from bot.runtime.why.line import Wall
from bot.runtime.why.outcomes import UNDER_WAY, Hindrance, what
from bot.runtime.why.reasons import because
from bot.storage import JournalLine, OutboxLine, Transaction

_DECIDED = frozenset({"deferred", "not_sent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrances:
    """Looked up by effect. `troubles`: by channel and account, why the platform takes nothing.

    `parked`: the customer's lane stands still.
    """

    rules: Mapping[EffectId, str]
    sends: Sequence[OutboxLine]
    troubles: Mapping[tuple[str, str], str]
    now: datetime
    parked: bool

    def of(self, row: OutboxLine) -> Hindrance:
        """What stands in the way of this message."""
        effect = row.effect
        return Hindrance(
            rule=self.rules.get(effect.effect_id, ""),
            ahead=self._ahead(row),
            trouble=self.troubles.get((effect.channel, effect.account), ""),
            parked=self.parked and effect.send_class != "staff",
        )

    def _ahead(self, row: OutboxLine) -> str:
        conversation = row.effect.conversation_id
        for other in self.sends:
            if other.effect.conversation_id == conversation and other.seq != row.seq and self._blocks(other, row):
                return what(other)
        return ""

    def _blocks(self, other: OutboxLine, row: OutboxLine) -> bool:
        """Whether `row` waits for `other`: one of a conversation is under way at a time (delivery.md 2.4)."""
        if other.state != "ready":
            return other.state in UNDER_WAY
        return other.seq < row.seq and (other.not_before <= self.now or other.attempts > 0)


def look(tx: Transaction, journal: Sequence[JournalLine], sends: Sequence[OutboxLine], wall: Wall) -> Hindrances:
    """What is known of the way of these messages. Reads only."""
    waiting = {(row.effect.channel, row.effect.account) for row in sends if row.state == "ready"}
    troubles = {name: words for name in waiting if (words := _trouble(tx, name, wall))}
    parked = any(tx.reading.parked_of(row.customer_id) for row in sends[:1])
    return Hindrances(rules=_rules(journal, wall), sends=sends, troubles=troubles, now=tx.now, parked=parked)


def _rules(journal: Sequence[JournalLine], wall: Wall) -> dict[EffectId, str]:
    """What was last decided about each message, with the values it was decided by."""
    found: dict[EffectId, str] = {}
    for line in journal:
        for trace in line.entries:
            effect_id = trace.detail.get("effect")
            if isinstance(effect_id, str) and (words := _words(trace, wall)):
                found[EffectId(effect_id)] = words
    return found


def _words(trace: Trace, wall: Wall) -> str:
    detail = Detail(trace=trace, wall=wall)
    if trace.kind in _DECIDED:
        return detail.because()
    deferred = detail.text("deferred") if trace.kind == "planned" else ""
    return because(deferred, detail.values(), wall) if deferred else ""


def _trouble(tx: Transaction, account: tuple[str, str], wall: Wall) -> str:
    found = tx.deciding.trouble_of(*account, now=tx.now)
    if found is None:
        return ""
    reason, code = found
    words = because(reason, {}, wall)
    return words if code is None else f"{words}，错误码 {code}"
