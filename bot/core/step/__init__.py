"""One item of one customer, stepped to completion: `step` and nothing else is called from outside.

Pure and deterministic: the same customer, item, moment, facts and program give the same step, for ever.
Source: journey-language.md section 3.
"""

from datetime import datetime

from bot.core import windows
from bot.core.customer import BucketKind, Customer
from bot.core.events import CONVERSATIONAL, Event
from bot.core.ids import ConversationId, EffectId
from bot.core.item import Facts, Item, Needs, Step, TimerItem
from bot.core.program import Program
from bot.core.step import doing, floor, handoff, machine, people, receipts, routing, tasks
from bot.core.step import draft as drafts
from bot.core.step.draft import Draft, ReadMissing, Talk
from bot.core.step.questions import state_of

_BUCKETS: dict[str, BucketKind] = {"oa.follow": "follow", "oa.scan": "scan", "oa.click": "menu_click"}
_RECEIPTS = frozenset({"send.refused", "send.unknown", "send.expired"})
SOURCE_MAX = 64
"""Code points kept of the scene a customer came by."""


def step(program: Program, customer: Customer, item: Item, now: datetime, facts: Facts) -> Step | Needs:
    """The customer after `item`, with everything to be done and why; or the reads that are missing.

    `now` is aware UTC and stands still. Bugs raise; the shell then parks the customer's lane.
    """
    draft = drafts.begin(program, customer, item, now, facts)
    try:
        if isinstance(item, TimerItem):
            _fire(draft, item)
        else:
            _take_event(draft, item.event)
        machine.drain(draft)
        for run in draft.runs.values():
            if run.status == "active":
                machine.check_goal(draft, run)
    except ReadMissing as missing:
        return Needs(reads=frozenset({missing.read}))
    return Step(customer=drafts.finish(draft), effects=tuple(draft.effects), journal=tuple(draft.journal))


def _take_event(draft: Draft, event: Event) -> None:
    if event.type in CONVERSATIONAL:
        _speak(draft, event)
    elif event.type == "oa.unfollow":
        _unfollow(draft, event)
    elif event.type == "card.clicked":
        people.clicked(draft, event)
    elif event.type == "advisor.said":
        people.said(draft, event)
    elif event.type in _RECEIPTS:
        receipts.received(draft, event)
    else:
        _tell_subscribers(draft, event, None)
        routing.enter_by_event(draft, event, None)


def _speak(draft: Draft, event: Event) -> None:
    """The customer did something that opens a window and wants an answer."""
    talk = _talk_with(draft, event)
    talk.reachable = True
    talk.last_inbound_at = event.occurred_at
    kind = _bucket_kind(event)
    conversation = windows.opened(
        drafts.freeze_talk(talk), kind, event_id=event.event_id, at=event.occurred_at, rules=draft.program.rules
    )
    talk.buckets = conversation.buckets
    scene = event.fields.get("scene")
    if isinstance(scene, str) and scene and not draft.source:
        draft.source = scene[:SOURCE_MAX]
    if event.type == "message":
        routing.message(draft, talk, event)
    elif not _tell_subscribers(draft, event, talk):
        routing.enter_by_event(draft, event, talk)


def _bucket_kind(event: Event) -> BucketKind:
    """A tap on a line of a menu message counts as a menu click. Source: wechat-api.md 3.3."""
    if event.type == "message":
        return "menu_click" if event.fields.get("kind") == "menu_tap" else "message"
    return _BUCKETS[event.type]


def _talk_with(draft: Draft, event: Event) -> Talk:
    identity = ConversationId(f"{event.channel}:{event.account}:{event.sender}")
    talk = draft.talks.get(identity)
    if talk is None:
        talk = draft.talks[identity] = Talk(
            conversation_id=identity,
            channel=event.channel,
            account=event.account,
            external_id=event.sender,
            reachable=True,
            last_inbound_at=None,
            floor=[],
            queue=[],
            human=None,
            buckets=(),
            unsent=[],
        )
    return talk


def _tell_subscribers(draft: Draft, event: Event, talk: Talk | None) -> bool:
    """Every waiting state that listens for the event reacts. True: at least one did."""
    heard = draft.understanding or routing.NOTHING_SAID
    runs = [run for run in draft.runs.values() if run.status == "active"]
    if talk is not None:
        runs = [run for run in runs if run.conversation_id == talk.conversation_id]
    return sum(routing.react(draft, run, event, heard) for run in runs) > 0


def _unfollow(draft: Draft, event: Event) -> None:
    """She left: what waits for this conversation is held back, and who talked there ends `unreachable`."""
    talk = _talk_with(draft, event)
    talk.reachable = False
    talk.buckets = ()
    from_here = [unsent.effect_id for unsent in talk.unsent]
    doing.suppress(draft, from_here, "unreachable")
    for run in [run for run in draft.runs.values() if run.conversation_id == talk.conversation_id]:
        if run.enrolment_id not in draft.runs or run.parent is not None:
            continue
        if not routing.react(draft, run, event, routing.NOTHING_SAID):
            machine.close(draft, run, "unreachable")


def _fire(draft: Draft, item: TimerItem) -> None:
    """A timer is due. One of a state left long ago is dead, and only forgotten."""
    timer = item.timer
    draft.drop_timer(timer.owner, timer.timer_id)
    draft.trace("timer", owner=timer.owner, timer=timer.timer_id, due_at=timer.due_at.isoformat())
    if timer.owner == floor.FLOOR_OWNER:
        people.hold_ran_out(draft, ConversationId(timer.timer_id))
        return
    if timer.owner == tasks.TASK_OWNER:
        task = draft.tasks.get(EffectId(timer.timer_id))
        if task is not None:
            tasks.overdue(draft, task)
        return
    run = next((run for key, run in draft.runs.items() if key == timer.owner), None)
    if run is None or run.visit != timer.visit or run.status != "active":
        return
    state = state_of(draft, run)
    match timer.timer_id:
        case "wait":
            draft.go(run, state.then)
        case "timeout" if state.timeout is not None:
            draft.go(run, state.timeout.goto)
        case "accept":
            handoff.unaccepted(draft, run)
