"""Names of things, and the two derivations that make effects and enrolments recognisable for ever."""

import hashlib
from typing import NewType

CustomerId = NewType("CustomerId", int)
EventId = NewType("EventId", str)
"""Hex sha256, 64 characters, made where the event comes in (delivery.md 1.3)."""
EnrolmentId = NewType("EnrolmentId", str)
EffectId = NewType("EffectId", str)
StaffId = NewType("StaffId", str)
ConversationId = NewType("ConversationId", str)
"""`channel:account:external id`, for example `oa:main:oXyz` or, towards an advisor, `app:main:zhangmin`."""

KEY_MAX = 64
"""Code points of a journey's `key` that are kept as they are."""
_ENROLMENT_ID_LENGTH = 16
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)


def _short_hash(text: str) -> str:
    """26 characters of base32: the first 130 bits of the hash of `text`."""
    n, pairs = int.from_bytes(hashlib.sha256(text.encode()).digest()[:17], "big") >> 6, _PAIRS
    # By pairs of characters, ten bits each, and written out: at every step a loop, or the library's way, takes longer.
    return (
        f"{pairs[n >> 120]}{pairs[n >> 110 & 1023]}{pairs[n >> 100 & 1023]}{pairs[n >> 90 & 1023]}"
        f"{pairs[n >> 80 & 1023]}{pairs[n >> 70 & 1023]}{pairs[n >> 60 & 1023]}{pairs[n >> 50 & 1023]}"
        f"{pairs[n >> 40 & 1023]}{pairs[n >> 30 & 1023]}{pairs[n >> 20 & 1023]}{pairs[n >> 10 & 1023]}{pairs[n & 1023]}"
    )


def bounded_key(key: str) -> str:
    """`key`, or a hash of it when it is longer than `KEY_MAX`: it is kept with every run, and for long."""
    return key if len(key) <= KEY_MAX else f"sha256:{_short_hash(key)}"


def effect_id(event_id: EventId, owner: str, path: str, ordinal: int) -> EffectId:
    """Identity of one effect, equal whenever the same event is stepped again. Source: delivery.md 3.2.

    `owner` is the enrolment. Where none stands behind it, delivery.md says `_global` and callers say whose it is
    (`_customer:ID`, or the id of a colleague): a timer has the same event id with every customer, so that effects of
    two of them would be one.
    26 characters of `A-Z2-7`: legal as a kf `msgid`, a card's `task_id` and a client message id.
    """
    return EffectId(_short_hash(f"{event_id}|{owner}|{path}|{ordinal}"))


def enrolment_id(customer_id: CustomerId, journey: str, key: str, event_id: EventId) -> EnrolmentId:
    """Identity of the run of `journey` that `event_id` began for this customer."""
    return EnrolmentId(_short_hash(f"{customer_id}|{journey}|{key}|{event_id}")[:_ENROLMENT_ID_LENGTH])


def conversation_id(channel: str, account: str, external_id: str) -> ConversationId:
    """The one conversation of a person with one of our accounts."""
    return ConversationId(f"{channel}:{account}:{external_id}")
