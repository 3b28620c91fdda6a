"""One arrival of one customer, stepped to completion: `step` and nothing else is called from outside.

Pure and deterministic: the same customer, arrival, moment, facts and program give the same step, for ever.
Source: journey-language.md section 3.
"""

from datetime import datetime

from bot.core import windows
from bot.core.arrival import Arrival, Facts, Needs, Step, TimerDue
from bot.core.customer import BucketKind, Customer
from bot.core.effects import SendMessage
from bot.core.errands import DONE, FAILED
from bot.core.events import CONVERSATIONAL, Event
from bot.core.ids import ConversationId, EffectId, EnrolmentId, conversation_id
from bot.core.making import maker
from bot.core.program import Program
from bot.core.step import (
    aging,
    anchors,
    entry,
    exits,
    floor,
    groups,
    handoff,
    hearing,
    lookback,
    people,
    reach,
    receipts,
    releases,
    repairs,
    results,
    routing,
    tasks,
    waiting,
)
from bot.core.step import draft as drafts
from bot.core.step.copies import Talk
from bot.core.step.draft import Draft, ReadMissing
from bot.core.step.entering import enter_by_event
from bot.core.step.questions import state_of
from bot.core.step.sending import Wish, plan_global

_BUCKETS: dict[str, BucketKind] = {"oa.follow": "follow", "oa.scan": "scan", "oa.click": "menu_click"}
_make_step, _make_talk = maker(Step), maker(Talk)
_RECEIPTS = frozenset({"send.refused", "send.unknown", "send.expired"})
SOURCE_MAX = 64
"""Code points kept of the scene a customer came by."""


def step(program: Program, customer: Customer, arrival: Arrival, now: datetime, facts: Facts) -> Step | Needs:
    """The customer after `arrival`, with everything to be done and why; or the reads that are missing.

    `now` is aware UTC and stands still. Bugs raise; the shell then parks the customer's lane.
    """
    draft = drafts.begin(program, customer, arrival, now, facts)
    try:
        _open_window(draft)
        releases.adopt(draft)
        hearing.come_to_rest(draft)
        exits.look(draft)
        groups.leave_by_exits(draft)
        if draft.moves:
            hearing.come_to_rest(draft)
        if isinstance(arrival, TimerDue):
            _fire(draft, arrival)
        else:
            _take_event(draft, arrival.event)
        anchors.come_to_rest(draft)
        repairs.tell_queued(draft)
        if draft.moves:
            anchors.come_to_rest(draft)
        _apologise(draft)
        exits.look_back(draft)
        if draft.queued:
            anchors.come_to_rest(draft)
        if draft.external is not None:
            lookback.remember(draft, draft.external)
        lookback.forget(draft)
        aging.watch(draft)
    except ReadMissing as missing:
        return Needs(reads=frozenset({missing.read}))
    finally:
        # Scopes look at the draft: without them no cycle is left for the garbage collector.
        draft.scopes.clear()
    return _make_step(
        customer=drafts.finish(draft),
        effects=tuple(draft.effects),
        journal=tuple(draft.journal),
        asked=frozenset(draft.asked),
        told=tuple(draft.told),
    )


def _take_event(draft: Draft, event: Event) -> None:
    if draft.by_customer:
        _speak(draft, event)
        return
    if event.is_reconciled and reach.is_overtaken(_talk_with(draft, event), event):
        return
    if event.is_reconciled and event.type in CONVERSATIONAL:
        # Nobody knows when she came back: she can be reached, but no window opened and no welcome is due.
        _talk_with(draft, event).reachable = True
    elif event.type == "oa.unfollow":
        reach.lost(draft, _talk_with(draft, event), event)
    elif event.type == "card.clicked":
        people.clicked(draft, event)
    elif event.type == "advisor.said":
        people.said(draft, event)
    elif event.type in _RECEIPTS:
        receipts.received(draft, event)
    elif event.type in (DONE, FAILED):
        results.received(draft, event)
    elif event.type != exits.CHECK:
        routing.tell_waiting(draft, event, None)
        enter_by_event(draft, event, draft.talks.get(_conversation_of(event)))


def _open_window(draft: Draft) -> None:
    """The customer did something: she can be reached, and the platform allows answers."""
    event = draft.event
    if event is None or not draft.by_customer:
        return
    talk = _talk_with(draft, event)
    talk.reachable = True
    # By our own clock where the platform's is ahead of it: what we think is open must be open there too.
    at = min(event.occurred_at, draft.now)
    talk.last_inbound_at = max(at, talk.last_inbound_at or at)
    kind, rules = _bucket_kind(event), draft.program.rules
    talk.buckets = windows.opened(talk, kind, event_id=event.event_id, at=at, rules=rules)
    scene = event.fields.get("scene")
    if isinstance(scene, str) and scene and not draft.source:
        draft.source = scene[:SOURCE_MAX]


def _speak(draft: Draft, event: Event) -> None:
    """The customer wants an answer."""
    talk = _talk_with(draft, event)
    if event.type == "message":
        routing.message(draft, talk, event)
    elif people.still_there(draft, talk):
        people.forward(draft, talk, event)
    elif not routing.tell_waiting(draft, event, talk):
        enter_by_event(draft, event, talk)


def _bucket_kind(event: Event) -> BucketKind:
    """A tap on a line of a menu message counts as a menu click. Source: wechat-api.md 3.3."""
    if event.type == "message":
        return "menu_click" if event.fields.get("kind") == "menu_tap" else "message"
    return _BUCKETS[event.type]


def _conversation_of(event: Event) -> ConversationId:
    return conversation_id(event.channel, event.account, event.sender)


def _talk_with(draft: Draft, event: Event) -> Talk:
    identity = draft.conversation_id if event is draft.external else None
    identity = identity or _conversation_of(event)
    talk = draft.talks.get(identity)
    if talk is None:
        talk = draft.talks[identity] = _make_talk(
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


def _fire(draft: Draft, due: TimerDue) -> None:
    """A timer is due. One that was cancelled or put off since is dead, though its alarm may still ring."""
    timer = due.timer
    if timer not in draft.timers:
        return
    draft.timers.remove(timer)
    draft.trace("timer", owner=timer.owner, timer=timer.timer_id, due_at=timer.due_at.isoformat())
    if timer.owner == floor.FLOOR_OWNER:
        people.hold_ran_out(draft, ConversationId(timer.timer_id))
        return
    if timer.owner == entry.ENTRY_OWNER:
        entry.due(draft, timer.timer_id)
        return
    if timer.owner == tasks.TASK_OWNER:
        task = draft.tasks.get(EffectId(timer.timer_id))
        if task is not None:
            tasks.overdue(draft, task)
        return
    run = draft.runs.get(EnrolmentId(timer.owner))
    if run is None or run.visit != timer.visit or run.status != "active":
        return
    if timer.timer_id == entry.GOAL_WITHIN:
        exits.nothing_more_to_measure(draft, run)
        return
    if timer.timer_id == aging.MAX_AGE:
        aging.over(draft, run)
    elif timer.timer_id == "accept":
        handoff.unaccepted(draft, run)
    else:
        waiting.fire(draft, run, state_of(draft, run), timer)


def _apologise(draft: Draft) -> None:
    """A journey got stuck over what the customer wrote, and nothing answers her: say at least that (3.2)."""
    talk = draft.talks.get(draft.conversation_id) if draft.conversation_id else None
    if talk is None or talk.human is not None:
        return
    if not [1 for trace in draft.journal if trace.kind == "error" and trace.detail.get("outcome") == "stuck"]:
        return
    if not any(isinstance(e, SendMessage) and e.conversation_id == draft.conversation_id for e in draft.effects):
        plan_global(draft, talk, Wish(content="fallback"))
