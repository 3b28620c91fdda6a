"""Enrolments and conversations as a step changes them: thawed at its beginning, frozen again at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.core.customer import Bucket, Conversation, Enrolment, Human, Pending, Repair, Unsent
from bot.core.events import Json
from bot.core.ids import ConversationId, EffectId, EnrolmentId, EventId
from bot.core.making import copier

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


thaw_run = copier(Enrolment, Run, values=dict, slots=dict, saved=dict, counts=dict, resumes=dict, answered_at=dict)
"""A copy of an enrolment that may be changed."""

freeze_run = copier(Run, Enrolment)

thaw_talk = copier(Conversation, Talk, floor=list, queue=list, unsent=list)
"""A copy of a conversation that may be changed."""

freeze_talk = copier(Talk, Conversation, floor=tuple, queue=tuple, unsent=tuple)
