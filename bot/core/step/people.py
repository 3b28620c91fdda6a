"""What advisors do: accept, pass on, open, talk, close. While a colleague has the floor the bot is silent."""

from dataclasses import replace
from datetime import timedelta

from bot.core import cards
from bot.core.customer import Human, Task
from bot.core.effects import AssignAdvisor, CloseDesk, OpenDesk
from bot.core.events import Event, Json
from bot.core.ids import ConversationId, EffectId, StaffId
from bot.core.messages import Card, Text
from bot.core.step import doing, emitting, floor, handoff, tasks
from bot.core.step.copies import Talk
from bot.core.step.draft import Draft
from bot.core.step.sending import ADVISOR_CONTENT, say_for_advisor, staff_conversation, to_staff

DONE_TEXTS = {"busy": "已转同事", "done": "已完成", "close": "会话已结束"}
GONE_TEXT = "任务已结束或已转出"
UNREACHABLE_REASONS = frozenset({"gone", "unreachable", "invaliduser"})
"""The application cannot reach the colleague at all."""
FORWARDED = {"image": "[图片]", "voice": "[语音]", "video": "[视频]", "location": "[位置]", "link": "[链接]"}


def clicked(draft: Draft, event: Event) -> None:
    """A button of one of our cards was pressed."""
    task_id, key = EffectId(str(event.fields.get("task_id") or "")), str(event.fields.get("key") or "")
    code, staff_id = str(event.fields.get("response_code") or ""), StaffId(event.sender)
    task = draft.tasks.get(task_id)
    if task is None or task.staff_id != staff_id:
        draft.trace("task", outcome="click_too_late", key=key, staff_id=staff_id)
        _replace_card(draft, staff_id, cards.closed(task_id, GONE_TEXT, response_code=code))
        return
    draft.trace("task", outcome=f"clicked_{key}", staff_id=staff_id, task_kind=task.kind)
    match key:
        case "accept" | "open":
            _take_over(draft, task, event)
        case "busy":
            _pass_on(draft, task, staff_id, code)
        case "close":
            _close(draft, task, staff_id, code)
        case "done":
            _done(draft, task, staff_id, cards.closed(task_id, DONE_TEXTS["done"], response_code=code))
        case _:
            _replace_card(draft, staff_id, cards.closed(task_id, GONE_TEXT, response_code=code))


def _replace_card(draft: Draft, staff_id: StaffId, card: Card) -> None:
    to_staff(draft, staff_id, card, path=f"card/{card.task_id}")


def _take_over(draft: Draft, task: Task, click: Event) -> None:
    """She accepts, or opens again: she follows this customer, her words go to her, the bot keeps silent."""
    staff_id, code = StaffId(click.sender), str(click.fields.get("response_code") or "")
    accepted = replace(task, status="accepted")
    tasks.keep(draft, accepted)
    if draft.advisor != staff_id:
        draft.advisor = staff_id
        draft.effects.append(AssignAdvisor(staff_id=staff_id, at=draft.now, reason=task.kind))
        doing.save_lead(draft)
    run = handoff.run_of(draft, task)
    if run is not None:
        draft.drop_timer(run.enrolment_id, "accept")
    talk = draft.talks.get(task.conversation_id) if task.conversation_id else None
    if talk is not None:
        _human_takes_floor(draft, talk, accepted, click)
    if task.kind == "handoff" and task.status == "open":
        emitting.tell(draft, "handoff.accepted", {"journey": task.journey, "staff_id": staff_id})
    rows = tasks.summary(draft, accepted, whole_phone=True)
    card = cards.accepted(task.task_id, task.title, rows, response_code=code, is_open=talk is not None)
    _replace_card(draft, staff_id, card)


def _human_takes_floor(draft: Draft, talk: Talk, task: Task, click: Event) -> None:
    staff_id = StaffId(click.sender)
    if talk.human is not None and talk.human.staff_id != staff_id:
        member = draft.program.member(staff_id)
        note = cards.TAKEN_OVER.format(name=tasks.name_of(draft), colleague=member.name if member else staff_id)
        to_staff(draft, talk.human.staff_id, Text(text=note), path="taken_over")
        _leave(draft, talk, besides=task)
    floor.pause_holder(draft, talk)
    until = draft.now + draft.program.rules.human_hold
    spoke = talk.human is not None and talk.human.staff_id == staff_id and talk.human.spoke
    talk.human = Human(staff_id=staff_id, account=task.account, until=until, task_id=task.task_id, spoke=spoke)
    draft.set_timer(floor.FLOOR_OWNER, talk.conversation_id, until)
    # By the platform's clock, as her words are: those that she typed after her click may be stepped with it.
    opened_at = click.occurred_at
    draft.effects.append(
        OpenDesk(account=task.account, staff_id=staff_id, conversation_id=talk.conversation_id, at=opened_at)
    )
    to_staff(draft, staff_id, Text(text=cards.NOW_WITH.format(name=tasks.name_of(draft))), path="now_with")
    draft.trace("floor", outcome="human", staff_id=staff_id)


def _pass_on(draft: Draft, task: Task, staff_id: StaffId, code: str) -> None:
    if task.kind == "handoff":
        _replace_card(draft, staff_id, cards.closed(task.task_id, DONE_TEXTS["busy"], response_code=code))
        _let_go(draft, task)
        handoff.pass_on(draft, task)
    elif hand_over(draft, task):
        _replace_card(draft, staff_id, cards.closed(task.task_id, DONE_TEXTS["busy"], response_code=code))
        _let_go(draft, task)
    else:
        rows = tasks.summary(draft, task)
        _replace_card(draft, staff_id, cards.offer(task.task_id, task.title, task.kind, rows, response_code=code))
        to_staff(draft, staff_id, Text(text=cards.NOBODY_ELSE.format(title=task.title)), path="nobody_else")


def hand_over(draft: Draft, task: Task) -> bool:
    """Give the task to somebody else. False: nobody else can take it, so it stays where it is."""
    tried = (*task.tried, task.staff_id) if task.staff_id else task.tried
    order = tasks.Order(to=task.to, title=task.title, due_at=task.due_at, overdue_to=task.overdue_to, tried=tried)
    wanted = [order] if not task.overdue_to else [order, replace(order, to=task.overdue_to)]
    found = next((one for one in wanted if tasks.choose(draft, one) is not None), None)
    if found is None:
        draft.trace("task", outcome="nobody", to=task.to, task_kind=task.kind)
        return False
    tasks.drop(draft, task, "withdrawn")
    tasks.give(draft, draft.runs.get(task.enrolment_id) if task.enrolment_id else None, found)
    return True


def _close(draft: Draft, task: Task, staff_id: StaffId, code: str) -> None:
    """The conversation is over; a handoff is done with it, a task stays until it is done."""
    if task.kind == "handoff":
        _done(draft, task, staff_id, cards.closed(task.task_id, DONE_TEXTS["close"], response_code=code))
        return
    _let_go(draft, task)
    rows = tasks.summary(draft, task, whole_phone=True)
    card = cards.accepted(task.task_id, task.title, rows, response_code=code, is_open=False)
    _replace_card(draft, staff_id, card)


def _done(draft: Draft, task: Task, staff_id: StaffId, card: Card) -> None:
    _replace_card(draft, staff_id, card)
    handoff.finish(draft, task)
    _let_go(draft, task)


def _let_go(draft: Draft, task: Task) -> None:
    talk = draft.talks.get(task.conversation_id) if task.conversation_id else None
    if talk is not None and talk.human is not None and talk.human.task_id == task.task_id:
        _leave(draft, talk, besides=task)


def _leave(draft: Draft, talk: Talk, *, besides: Task | None = None) -> None:
    """The colleague has left the conversation: the bot may speak again.

    Handoffs that were accepted in it are done with that, `besides` the one that is dealt with already.
    """
    if talk.human is None:
        return
    _free_floor(draft, talk, talk.human)
    for task in _accepted_handoffs(draft, talk):
        if besides is None or task.task_id != besides.task_id:
            handoff.finish(draft, task)


def _free_floor(draft: Draft, talk: Talk, human: Human) -> None:
    desk = CloseDesk(account=human.account, staff_id=human.staff_id, conversation_id=talk.conversation_id)
    draft.effects.append(desk)
    draft.drop_timer(floor.FLOOR_OWNER, talk.conversation_id)
    draft.trace("floor", outcome="human_left", staff_id=human.staff_id)
    talk.human = None


def _accepted_handoffs(draft: Draft, talk: Talk) -> list[Task]:
    found = [task for task in draft.tasks.values() if task.kind == "handoff" and task.status == "accepted"]
    return [task for task in found if task.conversation_id == talk.conversation_id]


def send_away(draft: Draft, talk: Talk, note: str, *, path: str) -> None:
    """End the colleague's part in the conversation, and tell her why. `note` may name the customer: `{name}`."""
    if talk.human is not None:
        to_staff(draft, talk.human.staff_id, Text(text=note.format(name=tasks.name_of(draft))), path=path)
        _leave(draft, talk)


def hold_ran_out(draft: Draft, conversation_id: ConversationId) -> None:
    """She has not written for `human_hold`. If she never did, the customer still waits: the next one is asked."""
    talk = draft.talks.get(conversation_id)
    if talk is None or talk.human is None:
        return
    minutes = int(draft.program.rules.human_hold / timedelta(minutes=1))
    note = cards.HOLD_OVER.format(name="{name}", minutes=minutes)
    if talk.human.spoke:
        send_away(draft, talk, note, path="hold_over")
        return
    to_staff(draft, talk.human.staff_id, Text(text=note.format(name=tasks.name_of(draft))), path="hold_over")
    _replace_colleague(draft, talk, talk.human, "never_spoke")


def _replace_colleague(draft: Draft, talk: Talk, human: Human, outcome: str) -> None:
    """She is no help to the customer: free the floor, and offer what she had accepted here to the next."""
    _free_floor(draft, talk, human)
    for task in _accepted_handoffs(draft, talk):
        draft.trace("handoff", handoff.run_of(draft, task), outcome=outcome, staff_id=human.staff_id)
        handoff.pass_on(draft, task)


def colleague_lost(draft: Draft, event: Event) -> None:
    """The application cannot reach a colleague: whoever waits for her words, or reads them, gets somebody else."""
    if event.fields.get("reason") not in UNREACHABLE_REASONS:
        return
    for talk in draft.talks.values():
        human = talk.human
        if human is None or staff_conversation(human.account, human.staff_id) != event.fields.get("conversation_id"):
            continue
        _replace_colleague(draft, talk, human, "unreachable")
        task = draft.tasks.get(human.task_id)
        if task is not None and task.kind == "task":
            hand_over(draft, task)


def said(draft: Draft, event: Event) -> None:
    """An advisor's words for the customer. They are proof of contact: the first meets her deadline."""
    staff_id = StaffId(str(event.fields.get("staff_id") or ""))
    talk = _held_by(draft, staff_id, event.fields.get("conversation_id"))
    if talk is None or talk.human is None:
        to_staff(draft, staff_id, Text(text=cards.NO_CONVERSATION), path="no_conversation")
        return
    until = draft.now + draft.program.rules.human_hold
    talk.human = replace(talk.human, until=until)
    draft.set_timer(floor.FLOOR_OWNER, talk.conversation_id, until)
    reason = say_for_advisor(draft, talk, str(event.fields.get("text") or ""))
    if reason:
        _tell_undelivered(draft, staff_id, reason)
        return
    talk.human = replace(talk.human, spoke=True)
    _prove_contact(draft, talk.human.task_id)
    if event.fields.get("several"):
        to_staff(draft, staff_id, Text(text=cards.SENT_TO.format(name=tasks.name_of(draft))), path="sent_to")


def _held_by(draft: Draft, staff_id: StaffId, conversation_id: Json) -> Talk | None:
    """The conversation in which she has the floor, the one on her desk before any other."""
    found = [talk for talk in draft.talks.values() if talk.human is not None and talk.human.staff_id == staff_id]
    return next((talk for talk in found if talk.conversation_id == conversation_id), found[0] if found else None)


def _prove_contact(draft: Draft, task_id: EffectId) -> None:
    task = draft.tasks.get(task_id)
    if task is None or task.due_at is None:
        return
    draft.drop_timer(tasks.TASK_OWNER, task_id)
    tasks.keep(draft, replace(task, due_at=None, status="accepted"))
    draft.trace("task", outcome="contacted", staff_id=task.staff_id)


def still_there(draft: Draft, talk: Talk) -> bool:
    """Whether a colleague has the floor. One who is no longer in the list of staff is sent away."""
    if talk.human is not None and draft.program.member(talk.human.staff_id) is None:
        send_away(draft, talk, cards.BACK_TO_BOT, path="back_to_bot")
    return talk.human is not None


def forward(draft: Draft, talk: Talk, event: Event) -> None:
    """The customer writes while a colleague has the floor: the colleague reads it in her app.

    Where another customer is open on her desk, it says so: what she would answer now goes to that one.
    """
    human = talk.human
    assert human is not None, "somebody has to be there to read it"
    is_open = draft.desk_of(human) == talk.conversation_id
    note = cards.FORWARDED if is_open else cards.FORWARDED_UNOPENED
    to_staff(draft, human.staff_id, Text(text=_passed_on(draft, note, event)), path="forward")
    draft.trace("floor", outcome="forwarded", staff_id=human.staff_id, open=is_open)


def forward_to_offered(draft: Draft, talk: Talk, event: Event) -> None:
    """The customer waits for a colleague who has not accepted yet: whoever was asked reads what she writes."""
    for task in draft.tasks.values():
        if task.kind != "handoff" or task.status != "open" or task.conversation_id != talk.conversation_id:
            continue
        if task.staff_id is not None:
            text = Text(text=_passed_on(draft, cards.FORWARDED_WAITING, event))
            to_staff(draft, task.staff_id, text, path="forward_waiting")
            draft.trace("handoff", handoff.run_of(draft, task), outcome="forwarded", staff_id=task.staff_id)


def _passed_on(draft: Draft, note: str, event: Event) -> str:
    return note.format(name=tasks.name_of(draft), words=_words(event))


def _words(event: Event) -> str:
    if event.type != "message":
        key, scene = event.fields.get("key") or "", event.fields.get("scene") or ""
        named = {"oa.click": f"[点了菜单 {key}]", "oa.scan": f"[扫了码 {scene}]", "oa.follow": "[关注了公众号]"}
        return named.get(event.type, f"[{event.type}]")
    kind = str(event.fields.get("kind") or "text")
    return str(event.fields.get("text") or "") if kind in ("text", "menu_tap") else FORWARDED.get(kind, f"[{kind}]")


def not_delivered(draft: Draft, event: Event) -> bool:
    """Tell the advisor that her words did not arrive. False: the message was not an advisor's."""
    if event.fields.get("content") != ADVISOR_CONTENT:
        return False
    talk = draft.talks.get(ConversationId(str(event.fields.get("conversation_id") or "")))
    staff_id = talk.human.staff_id if talk is not None and talk.human is not None else draft.advisor
    if staff_id is not None:
        _tell_undelivered(draft, staff_id, str(event.fields.get("reason") or ""))
    return True


def _tell_undelivered(draft: Draft, staff_id: StaffId, reason: str) -> None:
    note = cards.NOT_DELIVERED.format(name=tasks.name_of(draft), why=cards.why_not(reason))
    to_staff(draft, staff_id, Text(text=note), path="not_delivered")


def card_not_delivered(draft: Draft, event: Event) -> bool:
    """A card did not reach its advisor: offer the task to somebody else. False: it was no card of an open task."""
    task = draft.tasks.get(EffectId(str(event.fields.get("effect_id") or "")))
    if task is None or task.status != "open":
        return False
    draft.trace("task", outcome="card_not_delivered", staff_id=task.staff_id, task_kind=task.kind)
    if task.kind == "handoff":
        handoff.pass_on(draft, task)
    else:
        hand_over(draft, task)
    return True
