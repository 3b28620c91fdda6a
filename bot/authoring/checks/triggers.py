"""No two things listen for the same word. Rules J501, J502, J503."""

from dataclasses import dataclass

from bot.authoring.drafts import Drafts
from bot.authoring.nodes import Listing, Node, Scalar, Table
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.source import Span
from bot.understanding import normalise

LOOSE_MAX = 1_000
"""Keywords looked for inside texts that are compared with one another; what comes beyond is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trigger:
    """A keyword of a journey as it is written and as it is heard."""

    draft: JourneyDraft
    written: str
    normal: str
    span: Span
    match: str = "exact"


def check(drafts: Drafts) -> None:
    """Report keywords that belong to two journeys of one priority, or that a global interrupt takes away."""
    first: dict[tuple[str, int, str], _Trigger] = {}
    taken = _interrupts(drafts)
    for draft in drafts.journeys.values():
        for trigger in _triggers(draft):
            journey = draft.journey
            if trigger.normal in taken:
                message = f"触发词 “{trigger.written}” 与全局打断词冲突（{taken[trigger.normal]}），永远轮不到"
                draft.page.say("J503", trigger.span, message, help="换一个触发词")
            other = first.setdefault((trigger.normal, journey.focus.priority, journey.channel), trigger)
            if other.draft.journey.journey != journey.journey:
                _conflict(trigger, other)
    _covered(drafts)


def _conflict(trigger: _Trigger, other: _Trigger) -> None:
    one, two = other.draft.journey, trigger.draft.journey
    pair = f"{one.journey}({one.focus.priority}) 与 {two.journey}({two.focus.priority})"
    message = f"触发词 “{trigger.written}” 同时属于 {pair}，优先级相同"
    trigger.draft.page.say("J501", trigger.span, message, help="换一个触发词，或给其中一个不同的 focus.priority")


def _covered(drafts: Drafts) -> None:
    """A longer keyword that is looked for inside a text never has its turn behind a shorter one."""
    triggers = (one for draft in drafts.journeys.values() for one in _triggers(draft))
    loose = [one for one in triggers if one.match in ("prefix", "contains")][:LOOSE_MAX]
    for trigger in loose:
        for other in loose:
            if other.normal != trigger.normal and _comes_first(other, trigger):
                message = f"“{trigger.written}” ({trigger.match}) 被 “{other.written}” ({other.match}) 覆盖，永远轮不到"
                trigger.draft.page.say(
                    "J502", trigger.span, message, help="给它更高的 focus.priority，或改用 match: exact"
                )
                break


def _comes_first(other: _Trigger, trigger: _Trigger) -> bool:
    mine, theirs = trigger.draft.journey, other.draft.journey
    if mine.channel != theirs.channel or mine is theirs or theirs.focus.priority < mine.focus.priority:
        return False
    if other.match == "prefix":
        return trigger.match == "prefix" and trigger.normal.startswith(other.normal)
    return other.normal in trigger.normal


def _interrupts(drafts: Drafts) -> dict[str, str]:
    rules = drafts.rules.rules.interrupts if drafts.rules else ()
    return {keyword: interrupt.interrupt for interrupt in rules for keyword in interrupt.keywords}


def _triggers(draft: JourneyDraft) -> list[_Trigger]:
    enter = draft.root.entry("enter")
    nodes = enter.value.nodes if enter and isinstance(enter.value, Listing) else ()
    found: list[_Trigger] = []
    for node in nodes:
        found.extend(
            _Trigger(draft=draft, written=word.text, normal=normalise(word.text), span=word.span, match=_match(node))
            for word in _words(node)
        )
    return found


def _match(node: Node) -> str:
    entry = node.entry("match") if isinstance(node, Table) else None
    return entry.value.text if entry and isinstance(entry.value, Scalar) else "exact"


def _words(node: Node) -> tuple[Scalar, ...]:
    entry = node.entry("keyword") if isinstance(node, Table) else None
    if entry is None:
        return ()
    nodes = entry.value.nodes if isinstance(entry.value, Listing) else (entry.value,)
    return tuple(word for word in nodes if isinstance(word, Scalar))
