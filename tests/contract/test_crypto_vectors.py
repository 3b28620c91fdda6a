"""The public vectors, through our callbacks, and judged by wechatpy's own crypto too."""

from datetime import UTC, datetime

import pytest
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner
from wechatpy.work.crypto import WeChatCrypto as WorkCrypto

from bot.channels.app.codec import AppCallbacks
from bot.channels.oa.codec import OaCallbacks
from bot.channels.trust import open_sealed, unseal
from bot.errors import Untrusted
from bot.runtime.ports import Query

from .posting import seal, sha1, vectors

VECTORS = vectors()


def _oa(name: str) -> OaCallbacks:
    given = VECTORS[name]
    return OaCallbacks(
        account="main",
        app_id=given["receive_id"],
        token=given["token"],
        aes_keys=(given["encoding_aes_key"],),
        mode="safe",
    )


def _app(name: str, receive_id: str) -> AppCallbacks:
    given = VECTORS[name]
    return AppCallbacks(
        account="main",
        corp_id=receive_id,
        agent_id=1,
        token=given["token"],
        aes_keys=(given["encoding_aes_key"],),
    )


def _at(name: str) -> datetime:
    return datetime.fromtimestamp(int(VECTORS[name]["timestamp"]), UTC)


@pytest.mark.parametrize("name", ["A", "C", "E"])
def test_ciphertexts_of_the_vectors_open_to_their_messages(name: str) -> None:
    given = VECTORS[name]
    opened = open_sealed(_oa(name)._seal, given["encrypt"], b"")
    assert opened.decode() == given["plain"]


@pytest.mark.parametrize("name", ["A", "C", "E"])
def test_what_the_tests_seal_is_what_the_vectors_hold(name: str) -> None:
    given = VECTORS[name]
    sealed = seal(
        given["plain"].encode(),
        receive_id=given["receive_id"],
        aes_key=given["encoding_aes_key"],
        random16=given["random16"].encode(),
    )
    assert sealed == given["encrypt"]


def test_the_echo_string_of_vector_b_is_decrypted() -> None:
    given = VECTORS["B"]
    query = Query(
        msg_signature=given["msg_signature"],
        timestamp=given["timestamp"],
        nonce=given["nonce"],
        echostr=given["echostr"],
    )
    assert _app("B", given["corp_id"]).verify(query, _at("B")) == given["plain"]


def test_the_echo_string_survives_a_plus_that_was_read_as_a_space() -> None:
    given = VECTORS["B"]
    query = Query(
        msg_signature=given["msg_signature"],
        timestamp=given["timestamp"],
        nonce=given["nonce"],
        echostr=given["echostr"].replace("+", " "),
    )
    assert _app("B", given["corp_id"]).verify(query, _at("B")) == given["plain"]


@pytest.mark.parametrize("name", ["C", "E"])
def test_signed_envelopes_of_the_vectors_are_trusted(name: str) -> None:
    given = VECTORS[name]
    query = Query(msg_signature=given["msg_signature"], timestamp=given["timestamp"], nonce=given["nonce"])
    body = f"<xml><Encrypt><![CDATA[{given['encrypt']}]]></Encrypt></xml>".encode()
    assert unseal(_oa(name)._seal, query, body).decode() == given["plain"]


def test_vector_c_opens_as_a_wecom_application_message_too() -> None:
    given = VECTORS["C"]
    assert open_sealed(_app("C", given["receive_id"])._seal, given["encrypt"], b"").decode() == given["plain"]


def test_the_bare_signature_of_vector_d_is_ours_and_wechatpys() -> None:
    parts = [str(part) for part in VECTORS["D"]["parts"]]
    signer = WeChatSigner()
    signer.add_data(*parts)
    assert _oa("E")._seal.sign(parts) == signer.signature == sha1(*parts) == VECTORS["D"]["msg_signature"]


def test_vector_f_answers_the_url_check_of_an_official_account() -> None:
    given = VECTORS["F"]
    callbacks = OaCallbacks(account="main", app_id="wx", token=given["token"], aes_keys=(), mode="plain")
    query = Query(signature=given["signature"], timestamp=given["timestamp"], nonce=given["nonce"], echostr="42")
    assert callbacks.verify(query, _at("F")) == "42"


@pytest.mark.parametrize("name", ["C", "E"])
def test_wechatpy_opens_what_the_tests_seal(name: str) -> None:
    given = VECTORS[name]
    sealed = seal("我要试驾".encode(), receive_id=given["receive_id"], aes_key=given["encoding_aes_key"])
    signature = sha1(given["token"], "1", "2", sealed)
    judge = WeChatCrypto if name == "E" else WorkCrypto
    crypto = judge(given["token"], given["encoding_aes_key"], given["receive_id"])
    assert crypto.decrypt_message({"Encrypt": sealed}, signature, "1", "2") == "我要试驾"


@pytest.mark.parametrize("name", ["C", "E"])
def test_we_open_what_wechatpy_seals(name: str) -> None:
    given = VECTORS[name]
    judge = WeChatCrypto if name == "E" else WorkCrypto
    crypto = judge(given["token"], given["encoding_aes_key"], given["receive_id"])
    envelope = crypto.encrypt_message("<xml><a>好</a></xml>", "nonce", "1760000001")
    signature = envelope.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    query = Query(msg_signature=signature, timestamp="1760000001", nonce="nonce")
    assert unseal(_oa(name)._seal, query, envelope.encode()).decode() == "<xml><a>好</a></xml>"


def test_one_changed_character_of_the_ciphertext_is_distrusted() -> None:
    given = VECTORS["E"]
    query = Query(msg_signature=given["msg_signature"], timestamp=given["timestamp"], nonce=given["nonce"])
    changed = ("R" if given["encrypt"][0] != "R" else "S") + given["encrypt"][1:]
    with pytest.raises(Untrusted):
        unseal(_oa("E")._seal, query, f"<xml><Encrypt>{changed}</Encrypt></xml>".encode())
