"""The names that guards and templates may read, with the values they have for one enrolment now."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from bot.core import windows
from bot.core.arrival import EventsRead, OpenSlotsRead
from bot.core.audiences import CALLS_MAX, Audiences, audiences_of
from bot.core.catalogue import Price
from bot.core.events import Json
from bot.core.expressions.declared import Read
from bot.core.expressions.pushing import SEGMENTS_DEEP_MAX
from bot.core.expressions.tree import EventCall, Expression
from bot.core.expressions.values import HOST, EvaluationFault, Scope
from bot.core.step.copies import Run
from bot.core.step.dealers import dealer_of
from bot.core.step.draft import Draft, ReadMissing
from bot.core.step.typed import Readers, readers_of, record_of, saved_of

MASK = "•••"
_OWN_ROOTS = frozenset({"now", "today", "counts", "window", "state", "journey", "error"})
_OWN_PATHS = frozenset(
    {"customer.id", "customer.score", "customer.points", "customer.opted_out", "customer.advisor"}
    | {"event.type", "event.channel"}
)
"""What the engine itself says, so that it tells nothing personal."""
_FREE_TYPES = frozenset({"text", "list", "record"})
"""Types of variables that may hold whatever the customer said."""
_NO_READERS: Mapping[str, Read] = {}
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
        scope = draft.scopes[key] = _build(draft, run)
    return {**scope, **extra} if extra else scope


def _build(draft: Draft, run: Run | None) -> Scope:
    event = draft.event
    scope: dict[str, object] = {
        "customer": _CustomerView(draft),
        "now": draft.now,
        "today": draft.today,
        "event": event_record(draft, event.type, channel=event.channel, fields=event.fields) if event else {},
        "zone": draft.zone,
        HOST: DraftHost(draft),
    }
    if run is None:
        return scope
    readers = draft.program.kept(Readers, readers_of).of(run.journey)
    return {
        **saved_of(run.saved, readers.saved),
        **scope,
        "slots": record_of(run.slots, readers.slots),
        "vars": record_of(run.values, readers.vars),
        "counts": _Counts(run.counts),
        "window": _WindowView(draft, run),
        "state": _StateView(run),
        "error": _ErrorView(run),
        "journey": {"id": run.journey, "entered_at": run.entered_at},
        "entry": run.entry,
    }


def event_record(draft: Draft, kind: str, *, channel: str, fields: Mapping[str, Json]) -> Mapping[str, object]:
    """`event`: an event of this type, its fields as they were declared."""
    written = {"type": kind, "channel": channel, **fields}
    return record_of(written, draft.program.kept(Readers, readers_of).events.get(kind, _NO_READERS))


class _View(Mapping[str, object]):
    """A record whose fields are worked out when they are read. Absent fields are null, as everywhere."""

    __slots__ = ()
    names: ClassVar[tuple[str, ...]] = ()

    def __getitem__(self, name: str) -> object:
        found = self.get(name)
        if found is None and name not in self:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class _CustomerView(_View):
    """`customer`: the attributes, and what the engine keeps."""

    __slots__ = ("attributes", "draft")
    names = ("id", "score", "points", "source", "opted_out", "advisor")

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.attributes = record_of(draft.attributes, draft.program.kept(Readers, readers_of).attributes)

    def get(self, name: str, default: object = None) -> object:
        draft = self.draft
        match name:
            case "id":
                return draft.base.customer_id
            case "score":
                return draft.score
            case "points":
                return draft.points
            case "source":
                return draft.source or None
            case "opted_out":
                return bool(draft.opt_outs)
            case "advisor":
                member = draft.program.member(draft.advisor) if draft.advisor else None
                return member.name if member else None
            case _:
                return self.attributes.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self.names or name in self.draft.attributes

    def __iter__(self) -> Iterator[str]:
        return iter({**self.draft.attributes, **dict.fromkeys(self.names)})

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _WindowView(_View):
    """`window`: what the platform still allows in the conversation of an enrolment. Shut when it has none."""

    __slots__ = ("draft", "run")
    names = ("open", "left")

    def __init__(self, draft: Draft, run: Run) -> None:
        self.draft = draft
        self.run = run

    def get(self, name: str, default: object = None) -> object:
        if name not in self.names:
            return None
        draft, talk = self.draft, self.draft.talk_of(self.run)
        if talk is None:
            return False if name == "open" else 0
        if name == "left":
            return windows.left(talk, draft.now)
        return talk.reachable and windows.is_open(talk, draft.now, draft.program.rules)


class _StateView(_View):
    """`state`: where an enrolment is."""

    __slots__ = ("run",)
    names = ("id", "previous", "entered_at", "visit")

    def __init__(self, run: Run) -> None:
        self.run = run

    def get(self, name: str, default: object = None) -> object:
        match name:
            case "id":
                return self.run.state
            case "previous":
                return self.run.previous or None
            case "entered_at":
                return self.run.state_entered_at
            case "visit":
                return self.run.visit
            case _:
                return None


class _ErrorView(_View):
    """`error`: what went wrong last and was handled. Null before anything did."""

    __slots__ = ("run",)
    names = ("code",)

    def __init__(self, run: Run) -> None:
        self.run = run

    def get(self, name: str, default: object = None) -> object:
        return (self.run.error or None) if name == "code" else None


class _Counts(_View):
    """`counts`: earlier visits of each state; of states never entered 0, not null."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = counts

    def get(self, name: str, default: object = None) -> int:
        return self.counts.get(name, 0)

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)


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
    root, _, name = path.partition(".")
    if root == "value" or _declared_personal(draft, run, root, name):
        return False
    if isinstance(value, bool | int | float | Decimal):
        return True
    return not personal(draft, run, path) or (isinstance(value, str) and _is_written_in_files(draft, value))


def personal(draft: Draft, run: Run | None, path: str) -> bool:
    """Whether what stands at `path` (`customer.phone`, `slots.nick`, `vars.words`) may be personal, value unseen."""
    root, _, name = path.partition(".")
    if root in _OWN_ROOTS or path in _OWN_PATHS:
        return False
    if root == "customer":
        attribute = draft.program.library.attributes.get(name)
        return attribute is None or attribute.pii
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
        return attribute is not None and attribute.pii
    slot = draft.program.journey(run.journey).slots.get(name) if root == "slots" and run is not None else None
    return slot is not None and slot.pii


def _is_written_in_files(draft: Draft, text: str) -> bool:
    """Whether `text` is an option of a choice, or a purpose of consent: so nothing that only this customer said."""
    library = draft.program.library
    if any(rule.consent == text for rule in library.rules.class_rules.values()):
        return True
    slots = (slot for journey in library.journeys.values() for slot in journey.slots.values())
    return any(slot.consent == text or (text in slot.options and not slot.pii) for slot in slots)


def plain(value: object) -> Json:
    """`value` as plain JSON: numbers stay numbers (exact below 10⁹ with six places), times and dates become text."""
    if value is None or isinstance(value, bool | int | float | str):
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
