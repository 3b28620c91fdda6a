"""Enrolments and conversations as a step changes them: thawed at its beginning, frozen again at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.core.customer import Bucket, Conversation, Enrolment, Human, Pending, Repair, Unsent
from bot.core.events import Json
from bot.core.ids import ConversationId, EffectId, EnrolmentId, EventId

HOLDOUT = "holdout"
"""The arm of whoever is measured and never contacted."""


@dataclass(slots=True, kw_only=True)
class Run:
    """An enrolment that may change. Fields as in `Enrolment`."""

    enrolment_id: EnrolmentId
    journey: str
    key: str
    release: str
    state: str
    visit: int
    entered_at: datetime
    state_entered_at: datetime
    conversation_id: ConversationId | None
    parent: EnrolmentId | None
    status: Literal["active", "stuck"]
    previous: str
    values: dict[str, Json]
    slots: dict[str, Json]
    saved: dict[str, Json]
    counts: dict[str, int]
    entry: Mapping[str, Json]
    pending: Pending | None
    goal_reached: bool
    goal_held_at_entry: bool
    day: str
    day_count: int
    awaiting: EffectId | None = None
    arm: str = ""
    error: str = ""
    left_by: tuple[str, ...] = ()
    answered_at: dict[str, datetime] = field(default_factory=dict)
    repair: Repair | None = None
    resumes: dict[str, str] = field(default_factory=dict)
    heard: tuple[EventId, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def is_measured_only(self) -> bool:
        """Whether it is held out: it visits no state, and only its goal and its exits count."""
        return self.arm == HOLDOUT


@dataclass(slots=True, kw_only=True)
class Talk:
    """A conversation that may change. Fields as in `Conversation`."""

    conversation_id: ConversationId
    channel: str
    account: str
    external_id: str
    reachable: bool
    last_inbound_at: datetime | None
    floor: list[EnrolmentId]
    queue: list[EnrolmentId]
    human: Human | None
    buckets: tuple[Bucket, ...]
    unsent: list[Unsent]

    @property
    def holder(self) -> EnrolmentId | None:
        """Whose turn it is to be answered, None: nobody's."""
        return self.floor[-1] if self.floor else None


# Field by field: every step copies what it may change, and a loop over names costs three times as much.


def thaw_run(enrolment: Enrolment) -> Run:
    """A copy of `enrolment` that may be changed."""
    return Run(
        enrolment_id=enrolment.enrolment_id,
        journey=enrolment.journey,
        key=enrolment.key,
        release=enrolment.release,
        state=enrolment.state,
        visit=enrolment.visit,
        entered_at=enrolment.entered_at,
        state_entered_at=enrolment.state_entered_at,
        conversation_id=enrolment.conversation_id,
        parent=enrolment.parent,
        status=enrolment.status,
        previous=enrolment.previous,
        values=dict(enrolment.values),
        slots=dict(enrolment.slots),
        saved=dict(enrolment.saved),
        counts=dict(enrolment.counts),
        entry=enrolment.entry,
        pending=enrolment.pending,
        goal_reached=enrolment.goal_reached,
        goal_held_at_entry=enrolment.goal_held_at_entry,
        day=enrolment.day,
        day_count=enrolment.day_count,
        awaiting=enrolment.awaiting,
        arm=enrolment.arm,
        error=enrolment.error,
        left_by=enrolment.left_by,
        resumes=dict(enrolment.resumes) if enrolment.resumes else {},
        heard=enrolment.heard,
        said=enrolment.said,
        answered_at=dict(enrolment.answered_at),
        repair=enrolment.repair,
    )


def freeze_run(run: Run) -> Enrolment:
    return Enrolment(
        enrolment_id=run.enrolment_id,
        journey=run.journey,
        key=run.key,
        release=run.release,
        state=run.state,
        visit=run.visit,
        entered_at=run.entered_at,
        state_entered_at=run.state_entered_at,
        conversation_id=run.conversation_id,
        parent=run.parent,
        status=run.status,
        previous=run.previous,
        values=run.values,
        slots=run.slots,
        saved=run.saved,
        counts=run.counts,
        entry=run.entry,
        pending=run.pending,
        goal_reached=run.goal_reached,
        goal_held_at_entry=run.goal_held_at_entry,
        day=run.day,
        day_count=run.day_count,
        awaiting=run.awaiting,
        arm=run.arm,
        error=run.error,
        left_by=run.left_by,
        resumes=run.resumes,
        heard=run.heard,
        said=run.said,
        answered_at=run.answered_at,
        repair=run.repair,
    )


def thaw_talk(conversation: Conversation) -> Talk:
    """A copy of `conversation` that may be changed."""
    return Talk(
        conversation_id=conversation.conversation_id,
        channel=conversation.channel,
        account=conversation.account,
        external_id=conversation.external_id,
        reachable=conversation.reachable,
        last_inbound_at=conversation.last_inbound_at,
        floor=list(conversation.floor),
        queue=list(conversation.queue),
        human=conversation.human,
        buckets=conversation.buckets,
        unsent=list(conversation.unsent),
    )


def freeze_talk(talk: Talk) -> Conversation:
    return Conversation(
        conversation_id=talk.conversation_id,
        channel=talk.channel,
        account=talk.account,
        external_id=talk.external_id,
        reachable=talk.reachable,
        last_inbound_at=talk.last_inbound_at,
        floor=tuple(talk.floor),
        queue=tuple(talk.queue),
        human=talk.human,
        buckets=talk.buckets,
        unsent=tuple(talk.unsent),
    )
