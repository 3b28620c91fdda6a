"""How many messages the platform still allows in a conversation: a ledger of what the customer's acts opened.

Kept strictly: every kind of act has its own bucket, a new act replaces only the bucket of its kind, and
buckets do not add their time. Equal times count as closed: a message refused is worse than a message saved.
Source: wechat-api.md section 3.3; the figures stand in `_global.yaml`, `platform_windows`.
"""

from dataclasses import replace
from datetime import datetime

from bot.core.customer import Bucket, BucketKind, Conversation
from bot.core.ids import EventId
from bot.core.library import GlobalRules


def opened(
    conversation: Conversation, kind: BucketKind, *, event_id: EventId, at: datetime, rules: GlobalRules
) -> Conversation:
    """`conversation` after an act of `kind` at `at`: a full bucket of that kind, expired ones dropped.

    Unchanged but for the expired ones when the rules give nothing for `kind` on this channel.
    """
    rule = rules.windows.get(conversation.channel, {}).get(kind)
    kept = tuple(b for b in conversation.buckets if b.closes_at > at and (rule is None or b.kind != kind))
    if rule is None:
        return replace(conversation, buckets=kept)
    if any(b.kind == kind and b.opened_at > at for b in conversation.buckets):
        # The act comes late: a newer one of its kind has opened more than it can.
        return conversation
    fresh = Bucket(bucket_id=event_id, kind=kind, opened_at=at, closes_at=at + rule.duration, max=rule.max)
    return replace(conversation, buckets=(*kept, fresh))


def spendable(conversation: Conversation, now: datetime) -> Bucket | None:
    """The open bucket with room that closes first, the oldest of equal ones; None when nothing is left."""
    with_room = (b for b in conversation.buckets if b.closes_at > now and b.used < b.max)
    return min(with_room, key=lambda b: (b.closes_at, b.opened_at, b.bucket_id), default=None)


def left(conversation: Conversation, now: datetime) -> int:
    """Messages that the open buckets still allow, those planned and not yet sent not taken off."""
    return sum(b.max - b.used for b in conversation.buckets if b.closes_at > now)


def has_window(channel: str, rules: GlobalRules) -> bool:
    """Whether this channel limits what we may send at all."""
    return bool(rules.windows.get(channel))


def is_open(conversation: Conversation, now: datetime, rules: GlobalRules) -> bool:
    """Whether one more message may be planned, those planned and not yet sent taken off (`window.open`)."""
    if not has_window(conversation.channel, rules):
        return True
    return left(conversation, now) - len(conversation.unsent) >= 1


def reserved(conversation: Conversation, bucket_id: EventId) -> Conversation:
    """`conversation` with one message more used of that bucket; unchanged when it is gone or full."""
    return _used(conversation, bucket_id, change=1)


def released(conversation: Conversation, bucket_id: EventId) -> Conversation:
    """`conversation` with one message of that bucket given back; unchanged when it is gone or unused."""
    return _used(conversation, bucket_id, change=-1)


def emptied(conversation: Conversation) -> Conversation:
    """`conversation` with nothing left to send: the platform counted more than we did (45047)."""
    return replace(conversation, buckets=tuple(replace(b, used=b.max) for b in conversation.buckets))


def shut(conversation: Conversation) -> Conversation:
    """`conversation` without any window: the platform says that it is closed (45015)."""
    return replace(conversation, buckets=())


def _used(conversation: Conversation, bucket_id: EventId, *, change: int) -> Conversation:
    buckets = tuple(
        replace(b, used=min(max(b.used + change, 0), b.max)) if b.bucket_id == bucket_id else b
        for b in conversation.buckets
    )
    return replace(conversation, buckets=buckets)
