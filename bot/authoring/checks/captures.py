"""Answers in free words that are somebody else's keyword: the journey has to say which goes first. Rule J211."""

from collections.abc import Iterator

from bot.authoring.checks.maxima import limits
from bot.authoring.drafts import Drafts
from bot.authoring.nodes import Table, place
from bot.authoring.read_journey import JourneyDraft
from bot.core.entries import KeywordEntry
from bot.core.expressions.tree import Both, Node
from bot.core.journey import Journey
from bot.core.slots import Slot
from bot.core.states import Ask


def check(drafts: Drafts) -> None:
    """Report questions for free text that say nothing of keywords which may be typed as their answer."""
    for draft in drafts.journeys.values():
        if draft.shipped:
            continue
        asked = {one.doing.slot for one in draft.journey.states.values() if isinstance(one.doing, Ask)}
        for name, slot in draft.journey.slots.items():
            if slot.type == "text" and name in asked and not _is_said(draft, name):
                _confused(drafts, draft, slot)


def _is_said(draft: JourneyDraft, slot: str) -> bool:
    slots = draft.root.entry("slots")
    own = slots.value.entry(slot) if slots and isinstance(slots.value, Table) else None
    return own is not None and isinstance(own.value, Table) and own.value.entry("capture") is not None


def _confused(drafts: Drafts, draft: JourneyDraft, slot: Slot) -> None:
    word = next(((word, other) for word, other in _rivals(drafts, draft.journey) if _passes(slot, word)), None)
    if word is None:
        return
    message = f"自由文本槽 “{slot.name}” 与触发词 “{word[0]}”（{word[1]}）可能混淆：客户用这个词回答时，会打断提问"
    help = "写明 capture: after_triggers（先看是不是触发词）或 capture: first（一律当作回答）"
    draft.page.say("J211", place(draft.root, "slots", slot.name), message, help=help)


def _rivals(drafts: Drafts, journey: Journey) -> Iterator[tuple[str, str]]:
    """Keywords that interrupt this journey when they are all that she says."""
    for name, draft in drafts.journeys.items():
        other = draft.journey
        if name == journey.journey or other.focus.priority <= journey.focus.priority or draft.shipped:
            continue
        for entry in other.enter:
            if (
                isinstance(entry, KeywordEntry)
                and entry.interrupt
                and journey.channel in (other.channel, *entry.channels)
            ):
                yield from ((word, name) for word in entry.keywords)


def _passes(slot: Slot, word: str) -> bool:
    """Whether the word is surely an answer that the check lets pass; what else it may ask is left undecided."""
    if slot.check is None:
        return True
    parts = slot.check.tree.operands if isinstance(slot.check.tree, Both) else (slot.check.tree,)
    return _only_limits(parts) and all(len(word) <= most for most in limits(slot.check.tree))


def _only_limits(parts: tuple[Node, ...]) -> bool:
    return all(next(limits(part), None) is not None for part in parts)
