"""Which decision planned which message: the journal's lines and the outbox' rows of one customer, put together.

A trace that names its effect settles it. Messages to our own people are not always named: those are given to the
first fitting decision of a step at their moment. Steps and rows are written in the same order, so a row can only
belong to a step between those of its neighbours, which tells steps of one moment apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bot.core.effects import Trace
from bot.core.ids import EffectId
from bot.runtime.why.people import CLICKED
from bot.storage import JournalLine, OutboxLine

_PLANNING = frozenset({"planned", "task", "handoff", "floor"})
"""Kinds of traces whose `effect` is a message that they planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A step with the messages it planned: by the position of the trace, and those that no trace explains."""

    line: JournalLine
    by_trace: dict[int, list[EffectId]] = field(default_factory=dict)
    unexplained: list[EffectId] = field(default_factory=list)

    def hang(self, place: int, effect_id: EffectId) -> None:
        """Put a message below the trace at `place`."""
        self.by_trace.setdefault(place, []).append(effect_id)


def join(journal: Sequence[JournalLine], sends: Sequence[OutboxLine]) -> tuple[Joined, ...]:
    """Every step with its messages, in order. Rows whose step is not in `journal` are left out.

    `sends` in the order of their `seq`.
    """
    steps = tuple(Joined(line=line) for line in journal)
    named = {effect_id: (number, place) for number, place, effect_id in _named(journal)}
    fences = _fences([named.get(row.effect.effect_id, (None, 0))[0] for row in sends], last=len(steps) - 1)
    for row, (lowest, highest) in zip(sends, fences, strict=True):
        effect_id = row.effect.effect_id
        if effect_id in named:
            number, place = named[effect_id]
            steps[number].hang(place, effect_id)
        else:
            _place(row, [step for step in steps[lowest : highest + 1] if step.line.at == row.planned_at])
    return steps


def _named(journal: Sequence[JournalLine]) -> Iterator[tuple[int, int, EffectId]]:
    for number, line in enumerate(journal):
        for place, trace in enumerate(line.entries):
            effect_id = trace.detail.get("effect")
            if trace.kind in _PLANNING and isinstance(effect_id, str):
                yield number, place, EffectId(effect_id)


def _fences(known: Sequence[int | None], *, last: int) -> list[tuple[int, int]]:
    """For every row the first and the last step that it can belong to, by the known steps of its neighbours."""
    lowest = list(_latest(known, 0))
    highest = list(_latest([None if n is None else -n for n in reversed(known)], -last))
    return [(low, -high) for low, high in zip(lowest, reversed(highest), strict=True)]


def _latest(known: Iterable[int | None], first: int) -> Iterator[int]:
    found = first
    for number in known:
        found = found if number is None else max(found, number)
        yield found


def _place(row: OutboxLine, candidates: Sequence[Joined]) -> None:
    """Put a row that no trace names below the decision that causes such messages, else below one about its receiver.

    Without either it hangs at the end of the last candidate, unexplained.
    """
    for step in candidates:
        for place, trace in enumerate(step.line.entries):
            if place not in step.by_trace and _causes(trace, row):
                step.hang(place, row.effect.effect_id)
                return
    for step in candidates:
        for place, trace in enumerate(step.line.entries):
            if trace.detail.get("staff_id") == row.effect.to:
                step.hang(place, row.effect.effect_id)
                return
    if candidates:
        candidates[-1].unexplained.append(row.effect.effect_id)


def _causes(trace: Trace, row: OutboxLine) -> bool:
    outcome = str(trace.detail.get("outcome") or "")
    to_receiver = trace.detail.get("staff_id") == row.effect.to
    match row.effect.content.partition("/")[0]:
        case "@task" | "@handoff" as content:
            offered = trace.kind == "task" and outcome == "offered" and to_receiver
            return offered and f"@{trace.detail.get('task_kind')}" == content
        case "@card":
            return trace.kind == "task" and to_receiver and (outcome == "click_too_late" or outcome.startswith(CLICKED))
        case "@forward":
            return trace.kind == "floor" and outcome == "forwarded" and to_receiver
        case "@forward_waiting":  # she waits for whoever was asked and has not accepted yet
            return trace.kind == "handoff" and outcome == "forwarded" and to_receiver
        case "@hold_over":
            return trace.kind == "floor" and outcome == "human_left" and to_receiver
        case "@overdue":  # it goes to somebody else than the one who let the task lie
            return trace.kind == "task" and outcome == "overdue"
        case "@taken_over":  # it goes to the one who has to leave
            return trace.kind == "floor" and outcome == "human"
        case "@not_delivered":
            return trace.kind in ("send.refused", "send.expired", "not_sent")
        case _:
            return False
