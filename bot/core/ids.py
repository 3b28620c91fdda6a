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
_EFFECT_ID_LENGTH = 26
_ENROLMENT_ID_LENGTH = 16
_BITS = 5
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_PAIR_MASK = len(_PAIRS) - 1


def _short_hash(*parts: str, length: int) -> str:
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    # Base32 by pairs of characters, ten bits each: the library's way takes four times as long, at every step.
    bits = length * _BITS
    number = int.from_bytes(digest[: -(-bits // 8)], "big") >> (-bits % 8)
    return "".join([_PAIRS[number >> shift & _PAIR_MASK] for shift in range(bits - 2 * _BITS, -1, -2 * _BITS)])


def bounded_key(key: str) -> str:
    """`key`, or a hash of it when it is longer than `KEY_MAX`: it is kept with every run, and for long."""
    return key if len(key) <= KEY_MAX else f"sha256:{_short_hash(key, length=_EFFECT_ID_LENGTH)}"


def effect_id(event_id: EventId, enrolment_id: EnrolmentId | None, path: str, ordinal: int) -> EffectId:
    """Identity of one effect, equal whenever the same event is stepped again. Source: delivery.md 3.2.

    26 characters of `A-Z2-7`: legal as a kf `msgid`, a card's `task_id` and a client message id.
    """
    return EffectId(_short_hash(event_id, enrolment_id or "_global", path, str(ordinal), length=_EFFECT_ID_LENGTH))


def enrolment_id(customer_id: CustomerId, journey: str, key: str, event_id: EventId) -> EnrolmentId:
    """Identity of the run of `journey` that `event_id` began for this customer."""
    return EnrolmentId(_short_hash(str(customer_id), journey, key, event_id, length=_ENROLMENT_ID_LENGTH))


def conversation_id(channel: str, account: str, external_id: str) -> ConversationId:
    """The one conversation of a person with one of our accounts."""
    return ConversationId(f"{channel}:{account}:{external_id}")
