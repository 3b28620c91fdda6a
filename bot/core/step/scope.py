"""The names that guards and templates may read, with the values they have for one enrolment now."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.core.arrival import EventsRead, OpenSlotsRead
from bot.core.audiences import CALLS_MAX, Audiences, audiences_of
from bot.core.catalogue import Price
from bot.core.events import Json
from bot.core.expressions.declared import Read
from bot.core.expressions.ground import SEGMENTS_DEEP_MAX
from bot.core.expressions.tree import EventCall, Expression
from bot.core.expressions.values import HOST, EvaluationFault, Scope
from bot.core.library import Library
from bot.core.step.copies import Run
from bot.core.step.dealers import dealer_of
from bot.core.step.draft import Draft, ReadMissing
from bot.core.step.typed import JourneyReaders, Readers, readers_of, record_of, saved_of
from bot.core.step.views import Counts, CustomerView, ErrorView, StateView, WindowView

MASK = "•••"
_OWN_ROOTS = frozenset({"now", "today", "counts", "window", "state", "journey", "error"})
_OWN_PATHS = frozenset(
    {"customer.id", "customer.score", "customer.points", "customer.opted_out", "customer.advisor"}
    | {"event.type", "event.channel"}
)
"""What the engine itself says, so that it tells nothing personal."""
_FREE_TYPES = frozenset({"text", "list", "record"})
"""Types of variables that may hold whatever the customer said."""
_WHEREABOUTS = frozenset({"location"})
"""Types that tell where somebody is, by numbers too."""
_NO_READERS: Mapping[str, Read] = {}
_NUMBERS = (bool, int, float, Decimal)
_JSON = (bool, int, float, str)
_MARKERS = ("{…}", "!")
"""How a record, and a value that cannot be read, show in the values of a guard."""


class DraftHost:
    """Answers the functions that ask about the customer herself."""

    __slots__ = ("deep", "draft")

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.deep = 0

    def has_tag(self, tag: str) -> bool:
        return tag in self.draft.tags

    def has_consent(self, purpose: str) -> bool:
        consent = self.draft.consents.get(purpose)
        return consent is not None and consent.granted

    def in_segment(self, segment: str) -> bool:
        draft = self.draft
        if self.deep == SEGMENTS_DEEP_MAX:
            raise EvaluationFault("expr.size", "人群互相引用太深，或成了环")
        self.deep += 1
        try:
            return draft.program.guard(draft.program.library.segments[segment].condition, scope_of(draft, None))
        finally:
            self.deep -= 1

    def happened(self, call: EventCall) -> int | datetime | None:
        """As the facts say. ReadMissing: they do not yet; all that the library asks is read at once."""
        facts = self.draft.facts
        known: Mapping[str, int | datetime | None] = facts.counts if call.kind == "count" else facts.lasts
        if call.source not in known:
            others = self.draft.program.kept(Audiences, audiences_of).calls.values()
            raise ReadMissing(EventsRead(calls=tuple(dict.fromkeys((call, *others)))[:CALLS_MAX]))
        self.draft.asked.add(call.source)
        return known[call.source]

    def open_slots(self, on: date, resource: str) -> tuple[datetime, ...]:
        read = OpenSlotsRead(dealer=dealer_of(self.draft), resource=resource, on=on)
        found = self.draft.facts.open_slots.get(read.key)
        if found is None:
            raise ReadMissing(read)
        return found

    def price(self, model: str, trim: str) -> Price | None:
        return self.draft.program.library.catalogue.price(model, trim, self.draft.today)


def scope_of(draft: Draft, run: Run | None, extra: Mapping[str, object] | None = None) -> Scope:
    """The scope for `run`, or for global rules when None. `extra` adds `value`, `error` and the like.

    Built once for an enrolment in a step: its records are views of the draft, worked out when they are read.
    """
    key = run.enrolment_id if run is not None else None
    scope = draft.scopes.get(key)
    if scope is None:
        scope = draft.scopes[key] = _Names(draft, run, {})
    return _Names(draft, run, dict(extra)) if extra else scope


class _Names(Mapping[str, object]):
    """The names of a scope: what stands behind one is made when it is first read, and most never are."""

    __slots__ = ("draft", "made", "run")

    def __init__(self, draft: Draft, run: Run | None, made: dict[str, object]) -> None:
        self.draft = draft
        self.run = run
        self.made = made

    def get(self, name: str, default: object = None) -> object:
        made = self.made
        if name in made:
            return made[name]
        found = self._make(name)
        if found is not None:
            made[name] = found
        return found

    def _make(self, name: str) -> object:
        run, shared = self.run, _EVERYBODYS.get(name)
        if shared is not None:
            return shared(self.draft)
        if run is None:
            return None
        readers, own = self.draft.program.kept(Readers, readers_of).of(run.journey), _OWN.get(name)
        return saved_of(run.saved, readers.saved).get(name) if own is None else own(self.draft, run, readers)

    def __getitem__(self, name: str) -> object:
        if name not in self:
            raise KeyError(name)
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        if name in self.made or name in _EVERYBODYS:
            return True
        return self.run is not None and (name in _OWN or name in self.run.saved)

    def __iter__(self) -> Iterator[str]:
        saved = () if self.run is None else (*self.run.saved, *_OWN)
        return iter(dict.fromkeys([*saved, *_EVERYBODYS, *self.made]))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _event(draft: Draft) -> Mapping[str, object]:
    event = draft.event
    return event_record(draft, event.type, channel=event.channel, fields=event.fields) if event else {}


def event_record(draft: Draft, kind: str, *, channel: str, fields: Mapping[str, Json]) -> Mapping[str, object]:
    """`event`: an event of this type, its fields as they were declared."""
    written = {"type": kind, "channel": channel, **fields}
    return record_of(written, draft.program.kept(Readers, readers_of).events.get(kind, _NO_READERS))


_EVERYBODYS: Mapping[str, Callable[[Draft], object]] = {
    "customer": CustomerView,
    "now": lambda draft: draft.now,
    "today": lambda draft: draft.today,
    "event": _event,
    "zone": lambda draft: draft.zone,
    HOST: DraftHost,
}
"""What every enrolment reads alike."""
_OWN: Mapping[str, Callable[[Draft, Run, JourneyReaders], object]] = {
    "slots": lambda draft, run, readers: record_of(run.slots, readers.slots),
    "vars": lambda draft, run, readers: record_of(run.values, readers.vars),
    "counts": lambda draft, run, readers: Counts(run.counts),
    "window": lambda draft, run, readers: WindowView(draft, run),
    "state": lambda draft, run, readers: StateView(run),
    "error": lambda draft, run, readers: ErrorView(run),
    "journey": lambda draft, run, readers: {"id": run.journey, "entered_at": run.entered_at},
    "entry": lambda draft, run, readers: run.entry,
}
"""What each has of its own."""


def guard_holds(draft: Draft, run: Run | None, expression: Expression, scope: Scope | None = None) -> bool:
    """Whether the guard holds; its text, verdict and the values it read go to the journal."""
    if scope is None:
        scope = scope_of(draft, run)
    verdict = draft.program.guard(expression, scope)
    draft.trace("guard", run, guard=expression.source, holds=verdict, values=read_values(draft, run, expression, scope))
    return verdict


def guard_holds_safely(draft: Draft, run: Run | None, expression: Expression, scope: Scope | None = None) -> bool:
    """The same where no move is being made: a guard that cannot be evaluated fails the run, and does not hold."""
    try:
        return guard_holds(draft, run, expression, scope)
    except EvaluationFault as fault:
        faulted(draft, run, fault, place=expression.source)
        return False


def faulted(draft: Draft, run: Run | None, fault: EvaluationFault, *, place: str = "") -> None:
    """Raise the journey error that `fault` stands for; where no journey stands behind it, only the journal knows."""
    fail(draft, run, fault.code, place=place)


def fail(draft: Draft, run: Run | None, error: str, *, place: str = "") -> None:
    """Raise an error of a journey; where none stands behind it, only the journal knows."""
    if run is not None:
        draft.fail(run, error, place=place)
    else:
        draft.trace("error", error=error, guard=place)


def read_values(draft: Draft, run: Run | None, expression: Expression, scope: Scope) -> dict[str, Json]:
    """The names in `expression` with their values; what may be personal only as a mask."""
    found: dict[str, Json] = {}
    for path, value in draft.program.reads(expression, scope).items():
        found[path] = plain(value) if _may_be_shown(draft, run, path, value) else MASK
    return found


def _may_be_shown(draft: Draft, run: Run | None, path: str, value: object) -> bool:
    """Masked is every text, unless it is the engine's own, or written in the marketers' files."""
    if value is None or value in _MARKERS:
        return True
    root, name = _place(path)
    if root == "value" or _declared_personal(draft, run, root, name):
        return False
    if isinstance(value, _NUMBERS):
        return True
    return not personal(draft, run, path) or (isinstance(value, str) and is_written_in_files(draft, value))


def _place(path: str) -> tuple[str, str]:
    """The root of `path` and the name below it; fields of a record (`slots.home.lat`) are as personal as it is."""
    root, _, rest = path.partition(".")
    return root, rest.partition(".")[0]


def personal(draft: Draft, run: Run | None, path: str) -> bool:
    """Whether what stands at `path` (`customer.phone`, `slots.nick`, `vars.words`) may be personal, value unseen."""
    root, name = _place(path)
    if root in _OWN_ROOTS or path in _OWN_PATHS:
        return False
    if root == "customer":
        attribute = draft.program.library.attributes.get(name)
        return attribute is None or attribute.pii or attribute.type in _WHEREABOUTS
    if run is None:
        return True
    journey = draft.program.journey(run.journey)
    if root == "slots":
        slot = journey.slots.get(name)
        return slot is None or slot.pii or slot.type != "choice"
    if root == "vars":
        variable = journey.vars.get(name)
        return variable is None or variable.type in _FREE_TYPES
    return True


def _declared_personal(draft: Draft, run: Run | None, root: str, name: str) -> bool:
    if root == "customer":
        attribute = draft.program.library.attributes.get(name)
        return attribute is not None and (attribute.pii or attribute.type in _WHEREABOUTS)
    slot = draft.program.journey(run.journey).slots.get(name) if root == "slots" and run is not None else None
    return slot is not None and (slot.pii or slot.type in _WHEREABOUTS)


def is_written_in_files(draft: Draft, text: str) -> bool:
    """Whether `text` is an option of a choice, or a purpose of consent: so nothing that only this customer said."""
    return text in draft.program.kept(_Written, _written).texts


@dataclass(frozen=True, slots=True)
class _Written:
    """Texts that stand in the marketers' files."""

    texts: frozenset[str]


def _written(library: Library) -> _Written:
    slots = [slot for journey in library.journeys.values() for slot in journey.slots.values()]
    consents = [rule.consent for rule in library.rules.class_rules.values()] + [slot.consent for slot in slots]
    options = [option for slot in slots if not slot.pii for option in slot.options]
    return _Written(frozenset([*consents, *options]))


def plain(value: object) -> Json:
    """`value` as plain JSON: numbers stay numbers (exact below 10⁹ with six places), times and dates become text."""
    if value is None or isinstance(value, _JSON):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    return str(value)
