"""The names that guards and templates may read, with the values they have for one enrolment now."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.core import windows
from bot.core.events import Json
from bot.core.expressions.evaluate import values_read
from bot.core.expressions.tree import Expression
from bot.core.expressions.values import EvaluationFault, Scope
from bot.core.ids import StaffId
from bot.core.step.draft import Draft, Run, freeze_talk

MASK = "•••"


class DraftHost:
    """Answers the functions that ask about the customer herself."""

    __slots__ = ("draft",)

    def __init__(self, draft: Draft) -> None:
        self.draft = draft

    def has_tag(self, tag: str) -> bool:
        return tag in self.draft.tags

    def has_consent(self, purpose: str) -> bool:
        consent = self.draft.consents.get(purpose)
        return consent is not None and consent.granted


def scope_of(draft: Draft, run: Run | None, extra: Mapping[str, object] | None = None) -> Scope:
    """The scope for `run`, or for global rules when None. `extra` adds `value`, `error` and the like."""
    event = draft.event
    scope: dict[str, object] = {
        "customer": _customer(draft),
        "now": draft.now,
        "today": draft.now.astimezone(draft.program.zone).date(),
        "event": {"type": event.type, "channel": event.channel, **event.fields} if event else {},
        "zone": draft.program.zone,
        "__host__": DraftHost(draft),
    }
    if run is not None:
        scope.update(run.saved)
        scope.update(_run(draft, run))
    if extra:
        scope.update(extra)
    return scope


def _customer(draft: Draft) -> dict[str, object]:
    return {
        **draft.attributes,
        "id": draft.base.customer_id,
        "score": draft.score,
        "points": draft.points,
        "source": draft.source or None,
        "opted_out": bool(draft.opt_outs),
        "advisor": _advisor_name(draft, draft.advisor),
    }


def _advisor_name(draft: Draft, staff_id: StaffId | None) -> str | None:
    member = draft.program.member(staff_id) if staff_id else None
    return member.name if member else None


def _run(draft: Draft, run: Run) -> dict[str, object]:
    talk = draft.talk_of(run)
    return {
        "slots": run.slots,
        "vars": run.values,
        "counts": _Zero(run.counts),
        "window": {
            "open": talk is not None and talk.reachable and _window_open(draft, run),
            "left": windows.left(freeze_talk(talk), draft.now) if talk else 0,
        },
        "state": {
            "id": run.state,
            "previous": run.previous or None,
            "entered_at": run.state_entered_at,
            "visit": run.visit,
        },
        "journey": {"id": run.journey, "entered_at": run.entered_at},
        "entry": run.entry,
    }


def _window_open(draft: Draft, run: Run) -> bool:
    talk = draft.talk_of(run)
    return talk is not None and windows.is_open(freeze_talk(talk), draft.now, draft.program.rules)


class _Zero(dict[str, int]):
    """Counts of states never entered are 0, not null."""

    def get(self, key: str, default: object = None) -> int:
        return super().get(key, 0)

    def __missing__(self, key: str) -> int:
        return 0


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
        draft.trace("error", run, error=fault.code, guard=expression.source)
        if run is not None:
            draft.fail(run, fault.code)
        return False


def read_values(draft: Draft, run: Run | None, expression: Expression, scope: Scope) -> dict[str, Json]:
    """The names in `expression` with their values; personal data only as a mask."""
    found: dict[str, Json] = {}
    for path, value in values_read(expression, scope).items():
        found[path] = MASK if value is not None and personal(draft, run, path) else plain(value)
    return found


def personal(draft: Draft, run: Run | None, path: str) -> bool:
    """Whether `path` (`customer.phone`, `slots.nick`) holds personal data."""
    root, _, name = path.partition(".")
    if root == "customer":
        attribute = draft.program.library.attributes.get(name)
        return attribute is not None and attribute.pii
    if root == "slots" and run is not None:
        slot = draft.program.journey(run.journey).slots.get(name)
        return slot is not None and (slot.pii or slot.type == "text")
    return root == "value" or path == "event.text"


def plain(value: object) -> Json:
    """`value` as plain JSON; numbers with a fraction and times as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    return str(value)
