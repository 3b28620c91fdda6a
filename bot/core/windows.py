"""How many messages the platform still allows in a conversation: a ledger of what the customer's acts opened.

Kept strictly: every kind of act has its own bucket, a new act replaces only the bucket of its kind, and
buckets do not add their time. Equal times count as closed: a message refused is worse than a message saved.
Source: wechat-api.md section 3.3; the figures stand in `_global.yaml`, `platform_windows`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.customer import Bucket, BucketKind, Conversation, Unsent
from bot.core.ids import EventId
from bot.core.library import GlobalRules

SHORT = timedelta(minutes=1)
CLOSING_MARGIN = timedelta(seconds=5)
"""A short window is over for us so much earlier: a message takes its time to get there (delivery.md 2.2)."""


def opened(
    conversation: Conversation, kind: BucketKind, *, event_id: EventId, at: datetime, rules: GlobalRules
) -> Conversation:
    """`conversation` after an act of `kind` at `at`: a full bucket of that kind, expired ones dropped.

    Full but for what left after the act and before we knew of it: the platform took that from the new bucket.
    Unchanged but for the expired ones when the rules give nothing for `kind` on this channel.
    """
    rule = rules.windows.get(conversation.channel, {}).get(kind)
    kept = tuple(b for b in conversation.buckets if b.closes_at > at and (rule is None or b.kind != kind))
    if rule is None:
        return replace(conversation, buckets=kept)
    if any(b.kind == kind and b.opened_at > at for b in conversation.buckets):
        # The act comes late: a newer one of its kind has opened more than it can.
        return conversation
    closes_at = at + rule.duration - (CLOSING_MARGIN if rule.duration <= SHORT else timedelta(0))
    since = tuple(t for b in conversation.buckets if b.kind == kind for t in b.begun_at if t > at)
    used = min(len(since), rule.max)
    fresh = Bucket(
        bucket_id=event_id, kind=kind, opened_at=at, closes_at=closes_at, max=rule.max, used=used, begun_at=since
    )
    return replace(conversation, buckets=(*kept, fresh))


def spendable(conversation: Conversation, now: datetime) -> Bucket | None:
    """The open bucket with room that closes first, the oldest of equal ones; None when nothing is left."""
    with_room = (b for b in conversation.buckets if b.closes_at > now and b.used < b.max)
    return min(with_room, key=lambda b: (b.closes_at, b.opened_at, b.bucket_id), default=None)


def left(conversation: Conversation, now: datetime) -> int:
    """Messages that the open buckets still allow, those planned and not yet sent not taken off."""
    return sum(b.max - b.used for b in conversation.buckets if b.closes_at > now)


def ahead(conversation: Conversation, now: datetime) -> list[Unsent]:
    """Planned messages that will spend a window before anything that is planned now.

    Not those that wait for a later moment, which ask again then, nor templates, which need no window.
    """
    return [u for u in conversation.unsent if u.form == "free" and (u.not_before is None or u.not_before <= now)]


def has_window(channel: str, rules: GlobalRules) -> bool:
    """Whether this channel limits what we may send at all."""
    return bool(rules.windows.get(channel))


def is_open(conversation: Conversation, now: datetime, rules: GlobalRules) -> bool:
    """Whether one more message may be planned, those planned and not yet sent taken off (`window.open`)."""
    if not has_window(conversation.channel, rules):
        return True
    return left(conversation, now) - len(ahead(conversation, now)) >= 1


def reserved(conversation: Conversation, bucket_id: EventId, *, at: datetime) -> Conversation:
    """`conversation` with one message more used of that bucket, begun at `at`; unchanged when it is gone or full."""
    return _changed(conversation, bucket_id, lambda b: _spent(b, at))


def released(conversation: Conversation, bucket_id: EventId) -> Conversation:
    """`conversation` with one message of that bucket given back; unchanged when it is gone or unused."""
    return _changed(conversation, bucket_id, _given_back)


def emptied(conversation: Conversation, heard_at: datetime | None) -> Conversation:
    """`conversation` with nothing left to send: the platform counted more than we did (45047).

    `heard_at`: her latest act when the attempt began. What she has opened since, the platform did not speak of.
    """
    buckets = tuple(b if _since(b, heard_at) else replace(b, used=b.max) for b in conversation.buckets)
    return replace(conversation, buckets=buckets)


def shut(conversation: Conversation, heard_at: datetime | None) -> Conversation:
    """`conversation` without the windows that were open at the attempt: they are closed (45015). As `emptied`."""
    return replace(conversation, buckets=tuple(b for b in conversation.buckets if _since(b, heard_at)))


def _since(bucket: Bucket, heard_at: datetime | None) -> bool:
    return heard_at is None or bucket.opened_at > heard_at


def _spent(bucket: Bucket, at: datetime) -> Bucket:
    return (
        replace(bucket, used=bucket.used + 1, begun_at=(*bucket.begun_at, at)) if bucket.used < bucket.max else bucket
    )


def _given_back(bucket: Bucket) -> Bucket:
    return replace(bucket, used=max(bucket.used - 1, 0), begun_at=bucket.begun_at[:-1])


def _changed(conversation: Conversation, bucket_id: EventId, change: Callable[[Bucket], Bucket]) -> Conversation:
    buckets = tuple(change(b) if b.bucket_id == bucket_id else b for b in conversation.buckets)
    return replace(conversation, buckets=buckets)
