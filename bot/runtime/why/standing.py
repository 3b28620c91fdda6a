"""How things stand now: who speaks, what may be sent, what is waited for, what will happen next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.customer import Conversation, Customer, Enrolment, Pending, Timer
from bot.errors import Spoilt
from bot.runtime.why import errands
from bot.runtime.why.hindering import Hindrances
from bot.runtime.why.line import Line, Wall, masked, shortened
from bot.runtime.why.names import BUCKETS, FLOOR_OWNER, TASK_OWNER, TASKS, member, timer_name
from bot.runtime.why.outcomes import UNDER_WAY, outcome
from bot.runtime.why.reasons import CLASSES, parked_because
from bot.storage import ErrandLine, LeadLine, OutboxLine, Parked, TaskLine

_PHASES = {"queued": "还没问，在等轮到它说话", "asked": "已问", "confirming": "等客户确认", "paused": "已暂停"}
_SPOILT = Spoilt.__name__
"""How the reason of a lane begins that was parked over a row that does not open (bugs.py)."""
_OVER = frozenset({"done", "withdrawn"})
_TASK_STATUS = {"open": "等{} 接受", "accepted": "{} 已接受", "overdue": "{} 超时，还没有联系客户"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What is read to tell how things stand."""

    customer: Customer
    lead: LeadLine | None
    tasks: Sequence[TaskLine]
    sends: Sequence[OutboxLine]
    now: datetime
    hindrances: Hindrances
    losses: Sequence[Line]
    errands: Sequence[ErrandLine] = ()


def standing(present: Present, wall: Wall) -> tuple[Line, ...]:
    """Lines of kind gap, quarantine, state, floor, window, opt_out, lead, task, send, errand, pending, in this
    order.

    Sends are those that may still leave; pending are timers, the next one first.
    """
    return (
        *present.losses,
        *_states(present.customer),
        *_conversations(present, wall),
        *_opt_outs(present.customer, wall),
        *_lead(present.lead, wall),
        *_tasks(present.tasks, wall),
        *(_send(row, present, wall) for row in present.sends if row.state in UNDER_WAY),
        *errands.waiting(present.errands, now=present.now, wall=wall),
        *_timers(present, wall),
    )


def _send(row: OutboxLine, present: Present, wall: Wall) -> Line:
    return outcome(row, now=present.now, wall=wall, hindrance=present.hindrances.of(row))


def standing_still(parked: Parked | None, held: int, wall: Wall) -> Iterator[Line]:
    """A line of kind parked when her lane stands still; `held`: events that wait in it."""
    if parked is not None:
        why = shortened(parked_because(parked.reason))
        queue = f"，排队 {held} 件" if held else ""
        cause, mended = (
            ("有一行打不开", "能打开后") if parked.reason.startswith(_SPOILT) else ("程序出错", "程序修好后")
        )
        cure = f"；{mended}：zhitu retry lane {parked.lane}"
        since = wall.moment(parked.parked_at)
        text = f"处理停住了：{cause}（{why}），{since} 起新的事件只排队、不处理{queue}{cure}"
        yield Line(kind="parked", text=text, tone="no", at=parked.parked_at, outcome=shortened(parked.reason))


def _states(customer: Customer) -> Iterator[Line]:
    for enrolment in customer.enrolments.values():
        where = f"旅程 {enrolment.journey} 在 {enrolment.state}"
        stuck = enrolment.status == "stuck"
        yield Line(
            kind="state",
            text=where + ("：出错停住，等运营处理" if stuck else _question(enrolment.pending)),
            tone="no" if stuck else "info",
            at=enrolment.state_entered_at,
            journey=enrolment.journey,
            state=enrolment.state,
            outcome=enrolment.status,
        )


def _question(pending: Pending | None) -> str:
    if pending is None:
        return ""
    wrong = f"，答错 {pending.failures} 次" if pending.failures else ""
    return f"：问题 {pending.slot} {_PHASES[pending.phase]}{wrong}"


def _conversations(present: Present, wall: Wall) -> Iterator[Line]:
    for talk in present.customer.conversations.values():
        name = f"{talk.channel}:{talk.account}"
        if talk.human is not None and talk.human.until > present.now:
            until = wall.moment(talk.human.until)
            text = f"{member(talk.human.staff_id)} 正在 {name} 和客户对话，机器人安静到 {until}"
            yield Line(kind="floor", text=text, at=talk.human.until, outcome="human")
        yield from _windows(talk, name, present.now, wall)


def _windows(talk: Conversation, name: str, now: datetime, wall: Wall) -> Iterator[Line]:
    if not talk.reachable:
        yield Line(kind="window", text=f"{name} 已不可达（客户取消关注或账号不存在）", tone="no", outcome="unreachable")
        return
    for bucket in talk.buckets:
        what = f"{name} 可回复时段（{BUCKETS[bucket.kind]}）"
        closes = wall.moment(bucket.closes_at)
        is_open = bucket.closes_at > now
        left = bucket.max - bucket.used
        text = f"{what}：还能发 {left}/{bucket.max} 条，{closes} 关闭" if is_open else f"{what}：{closes} 已关闭"
        usable = is_open and left > 0
        yield Line(
            kind="window",
            text=text,
            tone="ok" if usable else "no",
            at=bucket.closes_at,
            outcome="open" if usable else "used" if is_open else "closed",
        )


def _opt_outs(customer: Customer, wall: Wall) -> Iterator[Line]:
    for scope, since in customer.opt_outs.items():
        text = f"客户已退订{CLASSES.get(scope, scope)}（{wall.moment(since)} 起）"
        yield Line(kind="opt_out", text=text, tone="no", at=since, outcome=scope)


def _lead(lead: LeadLine | None, wall: Wall) -> Iterator[Line]:
    if lead is not None:
        owner = member(lead.staff_id) if lead.staff_id else "还没有分配同事"
        source = f"，来源 {masked(lead.source)}" if lead.source else ""
        text = f"线索：阶段 {lead.stage}，{owner}{source}（{wall.moment(lead.opened_at)} 建立）"
        yield Line(kind="lead", text=text, at=lead.updated_at, outcome=lead.stage)


def _tasks(tasks: Sequence[TaskLine], wall: Wall) -> Iterator[Line]:
    """Open ones only. Their titles may name the customer, so they stay sealed."""
    for task in tasks:
        if task.status not in _OVER:
            due = f"，截止 {wall.moment(task.due_at)}" if task.due_at else ""
            status = _TASK_STATUS.get(task.status, f"{{}} {task.status}").format(member(task.staff_id or ""))
            yield Line(
                kind="task",
                text=f"{TASKS.get(task.kind, task.kind)}：{status}{due}",
                tone="no" if task.status == "overdue" else "info",
                at=task.created_at,
                journey=task.journey,
                effect=task.task_id,
                outcome=task.status,
            )


def _timers(present: Present, wall: Wall) -> Iterator[Line]:
    for timer in sorted(present.customer.timers, key=lambda timer: timer.due_at):
        owner = _owner(present.customer, timer)
        where = f"{owner.journey} 在 {owner.state}：" if owner else ""
        what = timer_name(timer.owner, timer.timer_id)
        late = "" if timer.due_at > present.now else "，已到点，等待处理"
        yield Line(
            kind="pending",
            text=f"{wall.moment(timer.due_at)} {where}{what}{late}",
            at=timer.due_at,
            journey=owner.journey if owner else "",
            state=owner.state if owner else "",
            outcome=timer.timer_id if timer.owner not in (TASK_OWNER, FLOOR_OWNER) else timer.owner,
        )


def _owner(customer: Customer, timer: Timer) -> Enrolment | None:
    return next((found for key, found in customer.enrolments.items() if key == timer.owner), None)
