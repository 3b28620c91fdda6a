"""Tasks for our people: who gets one, the card that offers it, and its deadline."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bot.core import calendar, cards
from bot.core.customer import Task
from bot.core.effects import SaveTask
from bot.core.ids import ConversationId, StaffId
from bot.core.library import Member
from bot.core.messages import Text
from bot.core.rules import WeeklyHours
from bot.core.step import emitting
from bot.core.step.catching import catcher
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.sending import emit_to_staff, to_staff

ADVISOR_ROLE = "顾问"
OPERATORS = "role:运营值班"
"""Who gets a task when a journey cannot go on, or goes round without end."""
TASK_OWNER = "_task"
OVERDUE = "task.overdue"
OPEN_TASKS_MAX = 20
"""Open tasks a customer may have; the oldest is withdrawn for a new one. Handoffs are as many as enrolments wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A task that is wanted. `to`: `advisor`, `role:NAME` or `staff:ID`. `on_duty`: only somebody who works now."""

    to: str
    title: str
    kind: Literal["task", "handoff"] = "task"
    due_at: datetime | None = None
    overdue_to: str = ""
    on_duty: bool = False
    tried: tuple[StaffId, ...] = ()


def on_duty(draft: Draft, member: Member) -> bool:
    """Whether `member` works at this moment."""
    hours = draft.program.rules.working_hours.get(member.hours)
    return hours is None or is_open(draft, hours)


def is_open(draft: Draft, hours: WeeklyHours) -> bool:
    """Whether these working hours of ours are open at this moment."""
    rules, zone = draft.program.rules, draft.program.zone
    return calendar.is_open(hours, draft.now, zone, holidays=rules.holidays)


def choose(draft: Draft, order: Order) -> Member | None:
    """Who gets it: the customer's own advisor, else the least loaded; ties by the order of `_staff.yaml`.

    A task waits for her own advisor even off duty; a customer who is waiting goes to somebody who works now.
    """
    candidates = [member for member in _named(draft, order.to) if member.staff_id not in order.tried]
    working = [member for member in candidates if on_duty(draft, member)]
    if order.to == "advisor":
        allowed = working if order.on_duty else candidates
        own = next((member for member in allowed if member.staff_id == draft.advisor), None)
        if own is not None:
            return own
    pool = working if order.on_duty else working or candidates
    if len(pool) <= 1:
        return pool[0] if pool else None
    loads = draft.loads()
    return min(pool, key=lambda member: loads.get(member.staff_id, 0))


def _named(draft: Draft, to: str) -> list[Member]:
    members = draft.program.library.members
    if to.startswith("staff:"):
        return [member for member in members if member.staff_id == to.removeprefix("staff:")]
    role = ADVISOR_ROLE if to == "advisor" else to.removeprefix("role:")
    return [member for member in members if role in member.roles]


def give(draft: Draft, run: Run | None, order: Order) -> Task | None:
    """Create the task and offer it by a card. None: nobody can take it; the journal says so."""
    member = choose(draft, order)
    if member is None:
        draft.trace("task", run, to=order.to, outcome="nobody", task_kind=order.kind)
        return None
    owner = run.enrolment_id if run else None
    task_id = draft.new_effect_id(owner, f"{run.state if run else ''}/{order.kind}")
    talk = draft.talk_of(run) if run else None
    task = Task(
        task_id=task_id,
        kind=order.kind,
        status="open",
        staff_id=member.staff_id,
        account=member.account,
        title=order.title,
        created_at=draft.now,
        due_at=order.due_at,
        journey=run.journey if run else "",
        enrolment_id=owner,
        visit=run.visit if run else 0,
        conversation_id=talk.conversation_id if talk else _latest_conversation(draft),
        overdue_to=order.overdue_to,
        tried=order.tried,
        to=order.to,
    )
    _make_room(draft)
    keep(draft, task)
    if task.due_at is not None:
        draft.set_timer(TASK_OWNER, task_id, task.due_at)
    card = cards.offer(task_id, task.title, task.kind, summary(draft, task))
    emit_to_staff(draft, member, card, effect_id=task_id, path=order.kind)
    draft.trace("task", run, to=order.to, outcome="offered", task_kind=order.kind, staff_id=member.staff_id)
    return task


def _latest_conversation(draft: Draft) -> ConversationId | None:
    latest = draft.latest_talk()
    return latest.conversation_id if latest else None


def _make_room(draft: Draft) -> None:
    """Withdraw the oldest task beyond the limit; a handoff never, as an enrolment waits for it and cannot go on."""
    plain = [task for task in draft.tasks.values() if task.kind == "task"]
    for oldest in plain[: max(0, len(draft.tasks) + 1 - OPEN_TASKS_MAX)]:
        draft.trace("task", outcome="withdrawn", staff_id=oldest.staff_id, task_kind=oldest.kind)
        drop(draft, oldest, "withdrawn")


def keep(draft: Draft, task: Task) -> None:
    """Put the task, new or changed, into the customer and into the table of tasks."""
    draft.tasks[task.task_id] = task
    draft.effects.append(_saved(task, task.status))


def drop(draft: Draft, task: Task, status: Literal["done", "withdrawn"]) -> None:
    """The task is over."""
    draft.tasks.pop(task.task_id, None)
    draft.drop_timer(TASK_OWNER, task.task_id)
    draft.effects.append(_saved(task, status))


def _saved(task: Task, status: Literal["open", "accepted", "done", "overdue", "withdrawn"]) -> SaveTask:
    return SaveTask(
        task_id=task.task_id,
        kind=task.kind,
        status=status,
        staff_id=task.staff_id,
        title=task.title,
        created_at=task.created_at,
        due_at=task.due_at,
        journey=task.journey,
        enrolment_id=task.enrolment_id,
    )


def summary(draft: Draft, task: Task, *, whole_phone: bool = False) -> tuple[tuple[str, str], ...]:
    """What an advisor should know at a glance. The whole phone number only for whoever accepted."""
    rows: list[tuple[str, str]] = [("客户", name_of(draft))]
    phone = draft.attributes.get("phone")
    if isinstance(phone, str):
        rows.append(("手机", phone if whole_phone else mask(phone)))
    if draft.lead is not None:
        need = draft.lead.fields.get("need")
        if isinstance(need, str):
            rows.append(("需求", need))
    if draft.source:
        rows.append(("来源", draft.source))
    if draft.notes:
        rows.append(("备注", draft.notes[-1]))
    rows.append(("意向分", str(draft.score)))
    if task.due_at is not None:
        rows.append(("截止", task.due_at.astimezone(draft.program.zone).strftime("%m月%d日 %H:%M")))
    return tuple(rows)


def mask(phone: str) -> str:
    """A phone number of which only the ends can be read."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "****"


def name_of(draft: Draft) -> str:
    """How colleagues call this customer."""
    nick = draft.attributes.get("nick")
    return nick if isinstance(nick, str) and nick else f"客户{draft.base.customer_id}"


def overdue(draft: Draft, task: Task) -> None:
    """Its deadline passed: mark it, and tell whoever is named in `overdue`."""
    keep(draft, replace(task, status="overdue"))
    draft.trace("task", outcome="overdue", staff_id=task.staff_id, to=task.overdue_to)
    _tell_overdue(draft, task)
    if not task.overdue_to:
        return
    member = choose(draft, Order(to=task.overdue_to, title=task.title))
    if member is None:
        draft.trace("task", outcome="nobody", to=task.overdue_to)
        return
    owner = draft.program.member(task.staff_id) if task.staff_id else None
    note = cards.OVERDUE.format(title=task.title, name=owner.name if owner else "无")
    to_staff(draft, member.staff_id, Text(text=note), path="overdue")


def _tell_overdue(draft: Draft, task: Task) -> None:
    """Journeys may listen for it; who gave the task may have a rule for the error while it stands where it did."""
    emitting.tell(draft, OVERDUE, {"journey": task.journey, "title": task.title})
    run = draft.runs.get(task.enrolment_id) if task.enrolment_id else None
    if run is not None and run.visit == task.visit and run.status == "active" and catcher(draft, run, OVERDUE):
        draft.fail(run, OVERDUE)


def fallback_task(draft: Draft, run: Run | None, title: str) -> None:
    """The task that stands in for a message that could not be sent."""
    give(draft, run, Order(to="advisor", title=title))
