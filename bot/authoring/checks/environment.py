"""The names that expressions may read, with their types, place by place. Source: journey-language.md 2.7, 3.11."""

from collections.abc import Mapping
from dataclasses import replace

from bot.authoring.drafts import Drafts, save_names, slot_names, state_names, var_names
from bot.authoring.read_journey import JourneyDraft
from bot.core.audiences import event_types
from bot.core.expressions.analyse import type_of
from bot.core.expressions.declared import names_of
from bot.core.expressions.types import Path, Type, TypeEnv
from bot.core.states import Book, CallJourney, End

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
_BOOKED: Mapping[str, Type] = {
    "id": "text",
    "resource": "text",
    "what": "text",
    "start": "time",
    "dealer": "text",
    "status": "text",
}
"""What is kept of a booking under its `save` name."""
_CHAIN_MAX = 50
"""Journeys that call one another whose results are typed; the engine itself goes far less deep."""
_EVENT: frozenset[Path] = frozenset({("event",)})


class Environments:
    """The names at every place of one set of files. Each journey's are put together once."""

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts
        self._inside: dict[str, TypeEnv] = {}
        self._under_way: set[str] = set()
        declared = drafts.attributes.attributes if drafts.attributes else {}
        untyped = drafts.attributes.untyped if drafts.attributes else frozenset[str]()
        self.attributes: Mapping[Path, Type] = {
            **_typed("customer", {name: one.type for name, one in declared.items() if name not in untyped}),
            **{("customer", name): "any" for name in untyped},
        }
        events = event_types(drafts.events.events if drafts.events else {})
        # Without a readable schema every attribute may exist.
        opened = _EVENT if drafts.attributes else _EVENT | {("customer",)}
        self.outside = TypeEnv(names={**_ALWAYS, **self.attributes}, open_records=opened, events=events)
        """What may be read where no journey is at hand: by `_global.yaml`, and by who may enter."""

        self.failing = replace(
            self.outside, names={**self.outside.names, ("error", "code"): "text", ("journey", "id"): "text"}
        )
        """What `_global.yaml` may read, of whose errors and interrupts some stand behind a journey."""

    def inside(self, draft: JourneyDraft) -> TypeEnv:
        """The names inside a journey."""
        name = draft.journey.journey
        if name not in self._inside:
            self._under_way.add(name)
            names: dict[Path, Type] = {**self.outside.names, **_IN_JOURNEYS, **_declared(draft)}
            saved = self._saved(draft)
            names.update(saved)
            unknown = {(save,) for save in save_names(draft)} - {path[:1] for path in saved}
            self._under_way.discard(name)
            self._inside[name] = replace(self.outside, names=names, open_records=self.outside.open_records | unknown)
        return self._inside[name]

    def checking(self, draft: JourneyDraft, slot: str) -> TypeEnv:
        """The names for the `check` of a slot: `value` is the answer."""
        found = draft.journey.slots.get(slot)
        env = self.inside(draft).with_name("value", "any")
        return env if found is None else replace(env, names={**_without_value(env), **names_of(("value",), found.type)})

    def _saved(self, draft: JourneyDraft) -> dict[Path, Type]:
        """What calls and bookings bring back under their names; of what was not read, and of webhooks, anything."""
        found: dict[Path, Type] = {}
        for state in draft.journey.states.values():
            match state.doing:
                case CallJourney(save=save) as call if save:
                    found.update(self._returned(call))
                case Book(save=save):
                    found.update({(save, field): kind for field, kind in _BOOKED.items()})
                case _:
                    continue
        return found

    def _returned(self, call: CallJourney) -> dict[Path, Type]:
        """What a call brings back under its `save` name; anything, in a circle or a chain too long to run."""
        callee = self._drafts.journeys.get(call.journey)
        if callee is None or call.journey in self._under_way or len(self._under_way) > _CHAIN_MAX:
            return {(call.save,): "any"}
        env = self.inside(callee)
        found: dict[Path, Type] = {(call.save, "end"): "text"}
        for state in callee.journey.states.values():
            for name, value in state.doing.returns if isinstance(state.doing, End) else ():
                path, kind = (call.save, name), type_of(value.tree, env)
                found[path] = kind if found.get(path, kind) == kind else "any"
        return found


def _without_value(env: TypeEnv) -> dict[Path, Type]:
    return {path: known for path, known in env.names.items() if path[0] != "value"}


def _typed(root: str, types: Mapping[str, str]) -> dict[Path, Type]:
    """The names below `root` by what they were declared to be; of a record its fields."""
    return {path: kind for name, one in types.items() for path, kind in names_of((root, name), one).items()}


def _declared(draft: JourneyDraft) -> dict[Path, Type]:
    """Slots, variables and counts; what could not be read may be anything."""
    journey = draft.journey
    names: dict[Path, Type] = {("slots", name): "any" for name in slot_names(draft) if name not in journey.slots}
    names.update({("vars", name): "any" for name in var_names(draft)})
    names.update(_typed("slots", {name: one.type for name, one in journey.slots.items()}))
    names.update(_typed("vars", {name: one.type for name, one in journey.vars.items()}))
    names.update({("counts", name): "number" for name in state_names(draft)})
    return names
