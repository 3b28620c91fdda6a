"""Identities are what the contract says they are, for ever: rows written before must be recognised."""

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from bot.core.ids import KEY_MAX, CustomerId, EnrolmentId, EventId, bounded_key, effect_id, enrolment_id


def spelled(*parts: str) -> str:
    """The base32 of the hash of these parts, as the library spells it."""
    return base64.b32encode(hashlib.sha256("|".join(parts).encode()).digest()).decode()


@given(st.text(max_size=80), st.text(max_size=30), st.integers(0, 40))
def test_an_effect_id_is_the_beginning_of_the_base32_of_its_hash(event: str, path: str, ordinal: int) -> None:
    found = effect_id(EventId(event), EnrolmentId("E"), path, ordinal)
    assert found == spelled(event, "E", path, str(ordinal))[:26]
    hers = effect_id(EventId(event), "_customer:7", path, ordinal)
    assert hers == spelled(event, "_customer:7", path, str(ordinal))[:26]


def test_an_enrolment_id_is_the_beginning_of_the_base32_of_its_hash() -> None:
    assert enrolment_id(CustomerId(7), "oa-welcome", "k", EventId("e")) == spelled("7", "oa-welcome", "k", "e")[:16]


def test_a_short_key_stays_as_it_is_and_long_ones_stay_apart() -> None:
    assert bounded_key("A" * KEY_MAX) == "A" * KEY_MAX
    longer = [bounded_key("A" * KEY_MAX + end) for end in ("x", "y")]
    assert len(set(longer)) == 2
    assert all(len(key) <= KEY_MAX for key in longer)
