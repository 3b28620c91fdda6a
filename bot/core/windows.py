"""How many messages the platform still allows in a conversation: a ledger of what the customer's acts opened.

Kept strictly: every kind of act has its own bucket, a new act replaces only the bucket of its kind, and
buckets do not add their time. Equal times count as closed: a message refused is worse than a message saved.
Source: wechat-api.md section 3.3; the figures stand in `_global.yaml`, `platform_windows`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.customer import Bucket, BucketKind, Conversation, Unsent
from bot.core.ids import EventId
from bot.core.making import maker
from bot.core.rules import GlobalRules

SHORT = timedelta(minutes=1)
CLOSING_MARGIN = timedelta(seconds=5)
"""A short window is over for us so much earlier: a message takes its time to get there (delivery.md 2.2)."""
REQUEST_MAX = timedelta(seconds=10)
"""A message is under way for at most so long: its request is given up then."""
WITHIN = timedelta(seconds=1)
"""The platform tells whole seconds: an act is up to so much later than it says."""


_make_bucket = maker(Bucket)


class Ledger(Protocol):
    """What says how much may still be sent in a conversation, frozen or in the hands of a step."""

    @property
    def channel(self) -> str: ...
    @property
    def buckets(self) -> tuple[Bucket, ...]: ...
    @property
    def unsent(self) -> Sequence[Unsent]: ...


def opened(
    conversation: Ledger, kind: BucketKind, *, event_id: EventId, at: datetime, rules: GlobalRules
) -> tuple[Bucket, ...]:
    """The buckets of `conversation` after an act of `kind` at `at`: a full one of that kind, expired ones dropped.

    Full but for what the platform took from it before we knew of the act. Unchanged but for the expired ones when
    the rules give nothing for `kind` on this channel, or when a newer act of its kind has opened more than this can.
    """
    buckets = conversation.buckets
    rule = rules.windows.get(conversation.channel, {}).get(kind)
    if rule is None:
        return tuple([b for b in buckets if b.closes_at > at])
    if [b for b in buckets if b.kind == kind and b.opened_at > at]:
        return buckets
    closes_at = at + rule.duration
    if rule.duration <= SHORT:
        closes_at -= CLOSING_MARGIN
    fresh = _make_bucket(bucket_id=event_id, kind=kind, opened_at=at, closes_at=closes_at, max=rule.max)
    # One that stands in two buckets is one message: one leaves after the other, so no two begin at one moment.
    begun_at = sorted({t for b in buckets for t in b.begun_at if at - t < REQUEST_MAX}) if buckets else []
    opened_now = (*_kept(buckets, kind, at), fresh)
    return _charged_anew(opened_now, begun_at, at) if begun_at else opened_now


def _kept(buckets: tuple[Bucket, ...], replaced: BucketKind, at: datetime) -> list[Bucket]:
    """The open ones of other kinds, with what may have been taken from them instead of the replaced one.

    Of two that were opened in one second nobody knows which the platform took from first.
    """
    kept = [b for b in buckets if b.closes_at > at and b.kind != replaced]
    for gone in [b for b in buckets if b.used and b.kind == replaced] if kept else ():
        kept = [_either(b, gone) if abs(b.closes_at - gone.closes_at) < WITHIN else b for b in kept]
    return kept


def _charged_anew(buckets: tuple[Bucket, ...], begun_at: list[datetime], at: datetime) -> tuple[Bucket, ...]:
    """`buckets`, new since `at`, with what the platform took from them before we knew.

    What left after `at` it took from other buckets than we did, maybe. Of all that left before, the last alone may have
    arrived after `at`, as one leaves after the other; of what left within the second of the act nobody knows. So each
    of these is tried as the first that arrived after it, and counts wherever it may have been taken. Acts that we hear
    of seconds late and in another order can still hide one message; the platform's refusal tells (delivery.md 3.7).
    """
    surely = at + WITHIN
    unsure = [t for t in begun_at if t < at][-1:] + [t for t in begun_at if at <= t < surely]
    found = _charged(buckets, begun_at, at, first=surely) if begun_at[-1] >= surely else buckets
    for first in unsure:
        found = tuple(
            [_either(*pair) for pair in zip(found, _charged(buckets, begun_at, at, first=first), strict=True)]
        )
    return found


def _charged(
    buckets: tuple[Bucket, ...], begun_at: list[datetime], at: datetime, *, first: datetime
) -> tuple[Bucket, ...]:
    """`buckets`, when what began from `first` on arrived after the act, and all before it where it stands."""
    moved = tuple([_without(b, first) for b in buckets])
    for t in [t for t in begun_at if t >= first]:
        # Not from what she opened only later: such a charge would go with that bucket, and be missing in another.
        arrives = max(t, at)
        taken = _first_to_close(tuple([b for b in moved if b.opened_at <= arrives]), arrives)
        if taken is not None:
            moved = tuple([_spent(b, t) if b is taken else b for b in moved])
    return moved


def _either(one: Bucket, other: Bucket) -> Bucket:
    """`one`, with what may have been taken from it as the other knows it."""
    if one is other:
        return one
    if one.bucket_id == other.bucket_id and _knows_all(other, one):
        return other
    begun_at = tuple(sorted({*one.begun_at, *other.begun_at}))
    used = max(_of_old(one) + len(begun_at), one.used, other.used)
    return replace(one, used=min(used, one.max), begun_at=begun_at)


def _knows_all(one: Bucket, other: Bucket) -> bool:
    return one.used >= other.used and one.begun_at[: len(other.begun_at)] == other.begun_at


def _without(bucket: Bucket, at: datetime) -> Bucket:
    kept = tuple([t for t in bucket.begun_at if t < at])
    if len(kept) == len(bucket.begun_at):
        return bucket
    return replace(bucket, used=min(_of_old(bucket) + len(kept), bucket.max), begun_at=kept)


def _of_old(bucket: Bucket) -> int:
    """Messages taken from it of which is not known when they began. More may be known than it holds: any of them."""
    return max(bucket.used - len(bucket.begun_at), 0)


def spendable(conversation: Ledger, now: datetime) -> Bucket | None:
    """The open bucket with room that closes first, the oldest of equal ones; None when nothing is left."""
    return _first_to_close(conversation.buckets, now)


def _first_to_close(buckets: tuple[Bucket, ...], now: datetime) -> Bucket | None:
    found = None
    for bucket in buckets:
        if bucket.closes_at > now and bucket.used < bucket.max:
            found = bucket if found is None else min(found, bucket, key=_closing)
    return found


def _closing(bucket: Bucket) -> tuple[datetime, datetime, EventId]:
    return (bucket.closes_at, bucket.opened_at, bucket.bucket_id)


def left(conversation: Ledger, now: datetime) -> int:
    """Messages that the open buckets still allow, those planned and not yet sent not taken off."""
    found = 0
    for bucket in conversation.buckets:
        if bucket.closes_at > now:
            found += bucket.max - bucket.used
    return found


def ahead(conversation: Ledger, now: datetime) -> list[Unsent]:
    """Planned messages that will spend a window before anything that is planned now.

    Not those that wait for a later moment, which ask again then, nor templates, which need no window.
    """
    return [u for u in conversation.unsent if u.form == "free" and (u.not_before is None or u.not_before <= now)]


def has_window(channel: str, rules: GlobalRules) -> bool:
    """Whether this channel limits what we may send at all."""
    return bool(rules.windows.get(channel))


def is_open(conversation: Ledger, now: datetime, rules: GlobalRules) -> bool:
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
