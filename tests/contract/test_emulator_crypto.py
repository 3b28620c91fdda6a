"""The emulator's own crypto and XML against the public vectors."""

import json

import pytest

from bot.sandbox.emulator.crypto import Broken, Lock, signature
from bot.sandbox.emulator.wire import NotXml, compose, parse

from .emulator_rig import FIXTURES

VECTORS = json.loads((FIXTURES / "crypto_vectors.json").read_text())


def lock_of(name: str) -> Lock:
    vector = VECTORS[name]
    return Lock(aes_key=vector["encoding_aes_key"], receiver=vector.get("receive_id") or vector["corp_id"])


@pytest.mark.parametrize("name", ["A", "C", "E"])
def test_sealing_gives_the_ciphertext_of_the_vector(name: str) -> None:
    vector = VECTORS[name]
    sealed = lock_of(name).seal(vector["plain"].encode(), random=vector["random16"].encode())
    assert sealed == vector["encrypt"]


@pytest.mark.parametrize(("name", "sealed"), [("A", "encrypt"), ("B", "echostr"), ("C", "encrypt"), ("E", "encrypt")])
def test_opening_gives_the_plain_text_of_the_vector(name: str, sealed: str) -> None:
    assert lock_of(name).open(VECTORS[name][sealed]).decode() == VECTORS[name]["plain"]


@pytest.mark.parametrize(("name", "sealed"), [("B", "echostr"), ("C", "encrypt"), ("E", "encrypt")])
def test_message_signatures_match_the_vectors(name: str, sealed: str) -> None:
    vector = VECTORS[name]
    signed = signature(vector["token"], vector["timestamp"], vector["nonce"], vector[sealed])
    assert signed == vector["msg_signature"]


def test_a_signature_depends_on_its_parts_and_not_on_their_order() -> None:
    assert signature(*VECTORS["D"]["parts"]) == VECTORS["D"]["msg_signature"]
    assert signature(*reversed(VECTORS["D"]["parts"])) == VECTORS["D"]["msg_signature"]


@pytest.mark.parametrize("name", ["E", "F"])
def test_plain_signatures_match_the_vectors(name: str) -> None:
    vector = VECTORS[name]
    assert signature(vector["token"], vector["timestamp"], vector["nonce"]) == vector["signature"]


@pytest.mark.parametrize(
    ("sealed", "code"),
    [
        ("not base64 at all!", -40010),
        ("", -40007),
        ("AAAA", -40007),
        (VECTORS["E"]["encrypt"][:64], -40008),
    ],
)
def test_a_ciphertext_that_does_not_open_says_why(sealed: str, code: int) -> None:
    with pytest.raises(Broken) as broken:
        lock_of("E").open(sealed)
    assert broken.value.code == code


def test_a_ciphertext_for_another_receiver_is_refused() -> None:
    other = Lock(aes_key=VECTORS["E"]["encoding_aes_key"], receiver="wx_somebody_else")
    with pytest.raises(Broken) as broken:
        other.open(VECTORS["E"]["encrypt"])
    assert broken.value.code == -40005


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 31, 32, 33, 5000])
def test_what_was_sealed_opens_again_whatever_its_length(length: int) -> None:
    message = ("车" * length).encode()
    lock = lock_of("A")
    assert lock.open(lock.seal(message)) == message


def test_two_seals_of_one_message_differ() -> None:
    assert lock_of("A").seal(b"x") != lock_of("A").seal(b"x")


@pytest.mark.parametrize("text", ["", "想预约试驾", "a]]>b", "]]>]]>", "<b>&amp;", "两\n行", "😀"])
def test_composed_text_reads_back_as_it_was(text: str) -> None:
    assert parse(compose({"Content": text})) == {"Content": text}


def test_composed_xml_has_the_shape_of_the_platforms() -> None:
    xml = compose({"MsgType": "event", "MsgID": 7, "SelectedItems": {"SelectedItem": [{"Id": "a"}, {"Id": "b"}]}})
    assert xml == (
        "<xml><MsgType><![CDATA[event]]></MsgType><MsgID>7</MsgID><SelectedItems>"
        "<SelectedItem><Id><![CDATA[a]]></Id></SelectedItem><SelectedItem><Id><![CDATA[b]]></Id></SelectedItem>"
        "</SelectedItems></xml>"
    )


@pytest.mark.parametrize(
    "text", ["", "{}", "<html/>", "<xml>", '<!DOCTYPE xml [<!ENTITY a "b">]><xml>&a;</xml>', "<xml>\x00</xml>"]
)
def test_what_is_no_platform_document_is_refused(text: str) -> None:
    with pytest.raises(NotXml):
        parse(text)
