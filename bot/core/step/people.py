"""What advisors do: accept, pass on, open, talk, close. While a colleague has the floor the bot is silent."""

from dataclasses import replace
from datetime import timedelta

from bot.core import cards
from bot.core.customer import Human, Task
from bot.core.effects import AssignAdvisor, CloseDesk, OpenDesk
from bot.core.events import Event
from bot.core.ids import ConversationId, EffectId, StaffId
from bot.core.messages import Text
from bot.core.step import doing, floor, handoff, tasks
from bot.core.step.draft import Draft, Talk
from bot.core.step.questions import state_of
from bot.core.step.sending import ADVISOR_CONTENT, say_for_advisor, to_staff

DONE_TEXTS = {"busy": "已转同事", "done": "已完成", "close": "会话已结束"}
GONE_TEXT = "任务已结束或已转出"


def clicked(draft: Draft, event: Event) -> None:
    """A button of one of our cards was pressed."""
    task_id, key = EffectId(str(event.fields["task_id"])), str(event.fields["key"])
    code, staff_id = str(event.fields.get("response_code") or ""), StaffId(event.sender)
    task = draft.tasks.get(task_id)
    if task is None or task.staff_id != staff_id:
        draft.trace("task", outcome="click_too_late", key=key, staff_id=staff_id)
        _replace_card(draft, task_id, staff_id, event.account, done=GONE_TEXT, code=code)
        return
    draft.trace("task", outcome=f"clicked_{key}", staff_id=staff_id, task_kind=task.kind)
    match key:
        case "accept" | "open":
            _take_over(draft, task, code)
        case "busy":
            _pass_on(draft, task, code)
        case "close":
            _close(draft, task, code)
        case "done":
            _done(draft, task, code)
        case _:
            _replace_card(draft, task_id, staff_id, event.account, done=GONE_TEXT, code=code)


def _replace_card(draft: Draft, task_id: EffectId, staff_id: StaffId, account: str, *, done: str, code: str) -> None:
    card = cards.closed(task_id, done, response_code=code)
    to_staff(draft, staff_id, card, path=f"card/{task_id}")


def _take_over(draft: Draft, task: Task, code: str) -> None:
    """She accepts, or opens again: she follows this customer, her words go to her, the bot keeps silent."""
    assert task.staff_id is not None, "only its owner can click a task"
    accepted = replace(task, status="accepted")
    tasks.keep(draft, accepted)
    if draft.advisor != task.staff_id:
        draft.advisor = task.staff_id
        draft.effects.append(AssignAdvisor(staff_id=task.staff_id, at=draft.now, reason=task.kind))
        doing.save_lead(draft)
    run = handoff.run_of(draft, task)
    if run is not None:
        draft.drop_timer(run.enrolment_id, "accept")
    talk = draft.talks.get(task.conversation_id) if task.conversation_id else None
    if talk is not None:
        _human_takes_floor(draft, talk, accepted)
    rows = tasks.summary(draft, accepted, whole_phone=True)
    card = cards.accepted(task.task_id, task.title, rows, response_code=code, is_open=talk is not None)
    to_staff(draft, task.staff_id, card, path=f"card/{task.task_id}")


def _human_takes_floor(draft: Draft, talk: Talk, task: Task) -> None:
    assert task.staff_id is not None, "only a member can take the floor"
    if talk.human is not None and talk.human.staff_id != task.staff_id:
        _close_desk(draft, talk)
    floor.pause_holder(draft, talk)
    until = draft.now + draft.program.rules.human_hold
    talk.human = Human(staff_id=task.staff_id, account=task.account, until=until, task_id=task.task_id)
    draft.set_timer(floor.FLOOR_OWNER, talk.conversation_id, until)
    draft.effects.append(
        OpenDesk(account=task.account, staff_id=task.staff_id, conversation_id=talk.conversation_id, at=draft.now)
    )
    draft.trace("floor", outcome="human", staff_id=task.staff_id)


def _close_desk(draft: Draft, talk: Talk) -> None:
    human = talk.human
    if human is not None:
        draft.effects.append(
            CloseDesk(account=human.account, staff_id=human.staff_id, conversation_id=talk.conversation_id)
        )


def _pass_on(draft: Draft, task: Task, code: str) -> None:
    assert task.staff_id is not None, "only its owner can click a task"
    _replace_card(draft, task.task_id, task.staff_id, task.account, done=DONE_TEXTS["busy"], code=code)
    run = handoff.run_of(draft, task)
    if task.kind == "handoff":
        if run is not None:
            handoff.pass_on(draft, run, task)
        return
    tasks.drop(draft, task, "withdrawn")
    order = tasks.Order(
        to="advisor",
        title=task.title,
        due_at=task.due_at,
        overdue_to=task.overdue_to,
        tried=(*task.tried, task.staff_id),
    )
    owner = draft.runs.get(task.enrolment_id) if task.enrolment_id else None
    if tasks.give(draft, owner, order) is None and task.overdue_to:
        tasks.give(draft, owner, replace(order, to=task.overdue_to))


def _close(draft: Draft, task: Task, code: str) -> None:
    """The conversation is over; a handoff is done with it, a task stays until it is done."""
    assert task.staff_id is not None, "only its owner can click a task"
    if task.kind == "handoff":
        _done(draft, task, code, text=DONE_TEXTS["close"])
        return
    _let_go(draft, task)
    rows = tasks.summary(draft, task, whole_phone=True)
    card = cards.accepted(task.task_id, task.title, rows, response_code=code, is_open=False)
    to_staff(draft, task.staff_id, card, path=f"card/{task.task_id}")


def _done(draft: Draft, task: Task, code: str, *, text: str = "") -> None:
    assert task.staff_id is not None, "only its owner can click a task"
    _replace_card(draft, task.task_id, task.staff_id, task.account, done=text or DONE_TEXTS["done"], code=code)
    run = handoff.run_of(draft, task)
    tasks.drop(draft, task, "done")
    if run is not None:
        draft.go(run, state_of(draft, run).then)
    _let_go(draft, task)


def _let_go(draft: Draft, task: Task) -> None:
    talk = draft.talks.get(task.conversation_id) if task.conversation_id else None
    if talk is not None and talk.human is not None and talk.human.task_id == task.task_id:
        release_human(draft, talk)


def release_human(draft: Draft, talk: Talk) -> None:
    """The colleague has left the conversation: the bot may speak again, and repeats what it had asked."""
    if talk.human is None:
        return
    _close_desk(draft, talk)
    draft.drop_timer(floor.FLOOR_OWNER, talk.conversation_id)
    draft.trace("floor", outcome="human_left", staff_id=talk.human.staff_id)
    talk.human = None
    floor.wake_next(draft, talk)


def hold_ran_out(draft: Draft, conversation_id: ConversationId) -> None:
    """She has not written for `human_hold`."""
    talk = draft.talks.get(conversation_id)
    if talk is None or talk.human is None:
        return
    human = talk.human
    minutes = int(draft.program.rules.human_hold / timedelta(minutes=1))
    note = cards.HOLD_OVER.format(name=tasks.name_of(draft), minutes=minutes)
    to_staff(draft, human.staff_id, Text(text=note), path="hold_over")
    task = draft.tasks.get(human.task_id)
    release_human(draft, talk)
    if task is not None and task.kind == "handoff":
        run = handoff.run_of(draft, task)
        tasks.drop(draft, task, "done")
        if run is not None:
            draft.go(run, state_of(draft, run).then)


def said(draft: Draft, event: Event) -> None:
    """An advisor's words for the customer. They are proof of contact: the first meets her deadline."""
    staff_id = StaffId(str(event.fields["staff_id"]))
    talk = next((t for t in draft.talks.values() if t.human is not None and t.human.staff_id == staff_id), None)
    if talk is None or talk.human is None:
        to_staff(draft, staff_id, Text(text=cards.NO_CONVERSATION), path="no_conversation")
        return
    until = draft.now + draft.program.rules.human_hold
    talk.human = replace(talk.human, until=until)
    draft.set_timer(floor.FLOOR_OWNER, talk.conversation_id, until)
    reason = say_for_advisor(draft, talk, str(event.fields.get("text") or ""))
    if reason:
        note = cards.NOT_DELIVERED.format(name=tasks.name_of(draft), why=cards.why_not(reason))
        to_staff(draft, staff_id, Text(text=note), path="not_delivered")
        return
    _prove_contact(draft, talk.human.task_id)


def _prove_contact(draft: Draft, task_id: EffectId) -> None:
    task = draft.tasks.get(task_id)
    if task is None or task.due_at is None:
        return
    draft.drop_timer(tasks.TASK_OWNER, task_id)
    tasks.keep(draft, replace(task, due_at=None))
    draft.trace("task", outcome="contacted", staff_id=task.staff_id)


def forward(draft: Draft, talk: Talk, event: Event) -> None:
    """The customer writes while a colleague has the floor: the colleague reads it in her app."""
    assert talk.human is not None, "somebody has to be there to read it"
    kind = str(event.fields.get("kind") or "text")
    words = str(event.fields.get("text") or "") if kind in ("text", "menu_tap") else FORWARDED.get(kind, f"[{kind}]")
    to_staff(draft, talk.human.staff_id, Text(text=f"{tasks.name_of(draft)}：{words}"), path="forward")
    draft.trace("floor", outcome="forwarded", staff_id=talk.human.staff_id)


FORWARDED = {"image": "[图片]", "voice": "[语音]", "video": "[视频]", "location": "[位置]", "link": "[链接]"}


def not_delivered(draft: Draft, event: Event) -> bool:
    """Tell the advisor that her words did not arrive. False: the message was not an advisor's."""
    if event.fields.get("content") != ADVISOR_CONTENT:
        return False
    if draft.advisor is not None:
        why = cards.why_not(str(event.fields.get("reason") or ""))
        note = cards.NOT_DELIVERED.format(name=tasks.name_of(draft), why=why)
        to_staff(draft, draft.advisor, Text(text=note), path="not_delivered")
    return True
