"""The names that expressions may read, with their types, place by place. Source: journey-language.md 2.7, 3.11."""

from collections.abc import Mapping

from bot.authoring.drafts import Drafts, state_names
from bot.authoring.read_journey import JourneyDraft
from bot.core.expressions.analyse import type_of
from bot.core.expressions.types import Path, Type, TypeEnv
from bot.core.journey import CallJourney, End
from bot.core.library import AttributeType
from bot.core.understood import SlotType

_CALL_DEPTH_MAX = 3
"""Calls within calls whose results are typed; deeper ones are `any`, and refused by the engine anyway."""
_SLOT_TYPES: Mapping[SlotType, Type] = {"choice": "text", "text": "text", "phone_cn": "text"}
_ATTRIBUTE_TYPES: Mapping[AttributeType, Type] = {
    "text": "text",
    "number": "number",
    "bool": "bool",
    "phone_cn": "text",
}
_ALWAYS: Mapping[Path, Type] = {
    ("customer", "id"): "number",
    ("customer", "score"): "number",
    ("customer", "points"): "number",
    ("customer", "source"): "text",
    ("customer", "opted_out"): "bool",
    ("customer", "advisor"): "text",
    ("now",): "time",
    ("today",): "date",
}
_IN_JOURNEYS: Mapping[Path, Type] = {
    ("window", "open"): "bool",
    ("window", "left"): "number",
    ("state", "id"): "text",
    ("state", "previous"): "text",
    ("state", "entered_at"): "time",
    ("state", "visit"): "number",
    ("journey", "id"): "text",
    ("journey", "entered_at"): "time",
    ("error", "code"): "text",
}
_EVENT: frozenset[Path] = frozenset({("event",)})


def everywhere(drafts: Drafts) -> dict[Path, Type]:
    """What may be read of the customer and the time wherever an expression stands."""
    declared = drafts.attributes.attributes if drafts.attributes else {}
    return {**_ALWAYS, **{("customer", name): _ATTRIBUTE_TYPES[one.type] for name, one in declared.items()}}


def of_rules(drafts: Drafts) -> TypeEnv:
    """The names for `_global.yaml`, where no journey is at hand."""
    return TypeEnv(names=everywhere(drafts), open_records=_opened(drafts, _EVENT))


def of_journey(drafts: Drafts, draft: JourneyDraft, *, slot: str = "", depth: int = 0) -> TypeEnv:
    """The names inside a journey. `slot`: the slot whose `check` it is, so that `value` may be read."""
    journey = draft.journey
    names = {**everywhere(drafts), **_IN_JOURNEYS}
    names.update({("slots", name): _SLOT_TYPES[one.type] for name, one in journey.slots.items()})
    names.update({("vars", name): one.type for name, one in journey.vars.items()})
    names.update({("counts", name): "number" for name in state_names(draft)})
    if slot in journey.slots:
        names["value",] = _SLOT_TYPES[journey.slots[slot].type]
    for state in journey.states.values():
        if isinstance(state.doing, CallJourney) and state.doing.save:
            names.update(_returned(drafts, state.doing, depth))
    return TypeEnv(names=names, open_records=_opened(drafts, _EVENT))


def _opened(drafts: Drafts, records: frozenset[Path]) -> frozenset[Path]:
    """Without a readable schema every attribute may exist."""
    return records if drafts.attributes else records | {("customer",)}


def _returned(drafts: Drafts, call: CallJourney, depth: int) -> dict[Path, Type]:
    """The fields that a call brings back under its `save` name."""
    callee = drafts.journeys.get(call.journey)
    if callee is None or depth >= _CALL_DEPTH_MAX:
        return {(call.save,): "any"}
    env = of_journey(drafts, callee, depth=depth + 1)
    found: dict[Path, Type] = {(call.save, "end"): "text"}
    for state in callee.journey.states.values():
        for name, value in state.doing.returns if isinstance(state.doing, End) else ():
            path, kind = (call.save, name), type_of(value.tree, env)
            found[path] = kind if found.get(path, kind) == kind else "any"
    return found
