"""Experiments that do not disturb each other. Rule J702."""

from bot.authoring.drafts import Drafts
from bot.authoring.nodes import place
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.source import Span
from bot.core.states import Split


def check(drafts: Drafts) -> None:
    """Report a salt that two experiments share: whoever is in one arm of one would be in one arm of the other."""
    first: dict[str, str] = {}
    for name, draft in drafts.journeys.items():
        for label, salt, span in _salts(name, draft):
            other = first.setdefault(salt, label)
            if other != label:
                message = f"salt 与 {other} 的相同：两个实验的分组完全相关"
                draft.page.say("J702", span, message, help="每个实验用自己的 salt")


def _salts(name: str, draft: JourneyDraft) -> list[tuple[str, str, Span]]:
    journey = draft.journey
    found: list[tuple[str, str, Span]] = []
    if journey.holdout:
        found.append((f"{name} 的 holdout", journey.holdout.salt, place(draft.root, "holdout", "salt")))
    for state in journey.states.values():
        if isinstance(state.doing, Split):
            span = place(draft.places[state.name].value, "split", "salt")
            found.append((f"{name} 的 {state.name}", state.doing.salt, span))
    return found
