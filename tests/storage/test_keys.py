"""Sealing, and looking a phone number up blindly."""

import base64

import pytest

from bot.errors import ConfigError, StorageError
from bot.storage import KeyRing, new_key_text

PLACE = "customers.sealed:7"


def key_text(version: int, byte: int) -> str:
    return f"{version}:{base64.b64encode(bytes([byte]) * 32).decode()}"


def test_a_sealed_value_opens_at_its_place_and_shows_nothing() -> None:
    ring = KeyRing.generate()
    sealed = ring.seal(b"13800138000", place=PLACE)
    assert b"138" not in sealed
    assert ring.open(sealed, place=PLACE) == b"13800138000"


def test_the_same_value_is_sealed_differently_each_time() -> None:
    ring = KeyRing.generate()
    assert ring.seal(b"x", place=PLACE) != ring.seal(b"x", place=PLACE)


def test_a_value_moved_to_another_row_does_not_open() -> None:
    ring = KeyRing.generate()
    with pytest.raises(StorageError, match="does not open"):
        ring.open(ring.seal(b"x", place=PLACE), place="customers.sealed:8")


@pytest.mark.parametrize("position", [13, 20, -1])
def test_a_changed_byte_does_not_open(position: int) -> None:
    ring = KeyRing.generate()
    sealed = bytearray(ring.seal(b"some longer text", place=PLACE))
    sealed[position] ^= 1
    with pytest.raises(StorageError, match="does not open"):
        ring.open(bytes(sealed), place=PLACE)


def test_a_value_that_is_cut_short_is_told_as_such() -> None:
    with pytest.raises(StorageError, match="cut short"):
        KeyRing.generate().open(b"\x01abc", place=PLACE)


def test_after_a_new_key_is_added_old_values_open_and_new_ones_use_it() -> None:
    old = KeyRing.from_texts([key_text(1, 1)])
    both = KeyRing.from_texts([key_text(1, 1), key_text(2, 2)])
    assert both.open(old.seal(b"x", place=PLACE), place=PLACE) == b"x"
    with pytest.raises(StorageError, match="key version 2, which is not configured"):
        old.open(both.seal(b"x", place=PLACE), place=PLACE)


def test_after_a_new_key_is_added_the_phone_is_still_found() -> None:
    old = KeyRing.from_texts([key_text(1, 1)])
    both = KeyRing.from_texts([key_text(2, 2), key_text(1, 1)])
    assert old.blind("13800138000") == both.blind("13800138000")


@pytest.mark.parametrize("spelling", ["138 0013 8000", "138-0013-8000", "１３８００１３８０００", "+86 13800138000"])
def test_all_spellings_of_a_phone_number_are_found_by_the_same_index(spelling: str) -> None:
    ring = KeyRing.generate()
    assert ring.blind(spelling) == ring.blind("13800138000")
    assert ring.blind(spelling) != ring.blind("13800138001")


def test_another_key_gives_another_index() -> None:
    assert KeyRing.generate().blind("13800138000") != KeyRing.generate().blind("13800138000")


def test_every_wrong_key_text_is_told_at_once_without_showing_it() -> None:
    texts = ["secretwithoutversion", "0:AAAA", "3:not base64!", "4:QUJD", key_text(5, 5), key_text(5, 6)]
    with pytest.raises(ConfigError) as raised:
        KeyRing.from_texts(texts)
    assert [complaint.where for complaint in raised.value.complaints] == [
        f"[storage] keys[{position}]" for position in (0, 1, 2, 3, 5)
    ]
    assert "secretwithoutversion" not in str(raised.value)
    assert "QUJD" not in str(raised.value)


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="一个密钥也没有"):
        KeyRing.from_texts([])


def test_a_new_key_text_makes_a_ring_that_does_not_show_its_key() -> None:
    text = new_key_text(7)
    ring = KeyRing.from_texts([text])
    assert repr(ring) == "KeyRing(versions=[7])"
    assert ring.open(ring.seal(b"x", place=PLACE), place=PLACE) == b"x"
