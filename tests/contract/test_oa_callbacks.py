"""Every push of an official account that concerns us, encrypted and plain, through HTTP."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.core.events import Event

from .posting import (
    APP_ID,
    OTHER_AES_KEY,
    House,
    Push,
    fixture,
    house,
    oa_plain,
    oa_safe,
    seal,
    sha1,
    vectors,
)

OPENID = "oDemoOpenid0000000000000001"


@pytest.fixture
async def ours() -> AsyncIterator[House]:
    async with house() as running:
        yield running


MEANINGS = [
    ("oa_text.xml", "message", {"kind": "text", "text": "想预约试驾"}, False),
    ("oa_image.xml", "message", {"kind": "image", "media_id": "MEDIA_demo_1"}, False),
    ("oa_voice.xml", "message", {"kind": "voice", "media_id": "MEDIA_demo_2"}, False),
    ("oa_video.xml", "message", {"kind": "video", "media_id": "MEDIA_demo_3"}, False),
    (
        "oa_location.xml",
        "message",
        {"kind": "location", "lat": 31.230416, "lng": 121.473701, "name": "上海市示例路1号"},
        False,
    ),
    ("oa_link.xml", "message", {"kind": "link"}, False),
    ("oa_event_subscribe.xml", "oa.follow", {"scene": None}, True),
    ("oa_event_subscribe_qr.xml", "oa.follow", {"scene": "td_sh01"}, True),
    ("oa_event_unsubscribe.xml", "oa.unfollow", {}, False),
    ("oa_event_scan.xml", "oa.scan", {"scene": "td_sh01"}, True),
    ("oa_event_click.xml", "oa.click", {"key": "MENU_TESTDRIVE"}, True),
    ("oa_event_view.xml", "oa.view", {"url": "https://example.com/"}, False),
    (
        "oa_event_template_finish_ok.xml",
        "template.finished",
        {"provider_id": "3600000001", "status": "success"},
        False,
    ),
    (
        "oa_event_template_finish_block.xml",
        "template.finished",
        {"provider_id": "3600000002", "status": "user_block"},
        False,
    ),
    ("oa_event_sub_popup_single.xml", "subscription.granted", {"template_id": "TPL_demo_A"}, False),
    ("oa_event_sub_change.xml", "subscription.rejected", {"template_id": "TPL_demo_A"}, False),
    ("oa_event_sub_change_jsonmode.json", "subscription.rejected", {"template_id": "TPL_demo_A"}, False),
    ("oa_event_sub_sent.xml", "subscription.sent", {"template_id": "TPL_demo_A"}, False),
]


def _is(event: Event, type_: str, fields: dict[str, object], *, urgent: bool) -> bool:
    return (
        event.type == type_
        and dict(event.fields) == fields
        and event.urgent is urgent
        and event.sender == OPENID
        and event.channel == "oa"
        and event.occurred_at == datetime.fromtimestamp(1760000000, UTC)
    )


@pytest.mark.parametrize(("name", "type_", "fields", "urgent"), MEANINGS)
async def test_an_encrypted_push_becomes_its_event(
    ours: House, name: str, type_: str, fields: dict[str, object], urgent: bool
) -> None:
    assert await ours.post(oa_safe(fixture(name))) == (200, "success")
    assert _is(ours.lanes.only, type_, fields, urgent=urgent)
    assert ours.lanes.only.account == "main"


@pytest.mark.parametrize(("name", "type_", "fields", "urgent"), MEANINGS)
async def test_a_plain_push_becomes_the_same_event(
    ours: House, name: str, type_: str, fields: dict[str, object], urgent: bool
) -> None:
    assert await ours.post(oa_plain(fixture(name))) == (200, "success")
    assert _is(ours.lanes.only, type_, fields, urgent=urgent)
    assert ours.lanes.only.account == "plain"


async def test_the_safe_mode_body_of_the_fixtures_is_taken_as_it_is(ours: House) -> None:
    given = vectors()["E"]
    query = {key: given[key] for key in ("timestamp", "nonce", "msg_signature", "signature")} | {"encrypt_type": "aes"}
    push = Push(path="/callback/oa/main", query=query, body=fixture("oa_safe_mode_body.xml"))
    assert await ours.post(push) == (200, "success")
    assert ours.lanes.only.fields["text"] == "想预约试驾"


async def test_a_push_in_json_is_the_same_fact_as_in_xml(ours: House) -> None:
    as_json = fixture("oa_event_sub_change_jsonmode.json")
    await ours.post(oa_safe(fixture("oa_event_sub_change.xml")))
    await ours.post(oa_safe(as_json, json_form=True, nonce="n2"))
    assert len(ours.lanes.events) == 1


async def test_a_list_becomes_one_event_an_entry_with_numbered_ids(ours: House) -> None:
    await ours.post(oa_safe(fixture("oa_event_sub_popup.xml")))
    granted, rejected = ours.lanes.events.values()
    assert (granted.type, granted.fields["template_id"]) == ("subscription.granted", "TPL_demo_A")
    assert (rejected.type, rejected.fields["template_id"]) == ("subscription.rejected", "TPL_demo_B")
    assert granted.event_id.endswith("#0")
    assert rejected.event_id == granted.event_id.replace("#0", "#1")


async def test_a_push_that_does_not_concern_us_may_lack_everything_else(ours: House) -> None:
    """Before: without a sender it was put into quarantine, with an alert, instead of being counted."""
    push = b"<xml><MsgType>event</MsgType><Event>user_info_modified</Event><OpenID>o1</OpenID></xml>"
    assert await ours.post(oa_safe(push)) == (200, "success")
    assert (ours.counted("unsupported"), ours.lanes.quarantined) == (1, [])


async def test_the_id_of_a_message_is_made_of_account_and_message_id_alone(ours: House) -> None:
    await ours.post(oa_safe(fixture("oa_text.xml")))
    changed = fixture("oa_text.xml").replace("想预约试驾".encode(), b"?")
    await ours.post(oa_safe(changed, timestamp="1760000007", nonce="other"))
    expected = hashlib.sha256(f"oa|{APP_ID}|24900000000000001".encode()).hexdigest()
    assert list(ours.lanes.events) == [expected]


async def test_two_events_in_one_second_stay_apart(ours: House) -> None:
    await ours.post(oa_safe(fixture("oa_event_click.xml")))
    await ours.post(oa_safe(fixture("oa_event_click.xml").replace(b"MENU_TESTDRIVE", b"MENU_PRICE")))
    assert [event.fields["key"] for event in ours.lanes.events.values()] == ["MENU_TESTDRIVE", "MENU_PRICE"]


async def test_a_tap_on_a_message_menu_carries_its_choice_and_is_urgent(ours: House) -> None:
    tapped = fixture("oa_text.xml").replace(b"<MsgId>", b"<bizmsgmenuid>E1.2.0</bizmsgmenuid><MsgId>")
    await ours.post(oa_safe(tapped))
    assert ours.lanes.only.fields == {"kind": "menu_tap", "text": "想预约试驾", "menu_id": "E1.2.0"}
    assert ours.lanes.only.urgent


async def test_a_follow_after_a_payment_has_no_scene(ours: House) -> None:
    await ours.post(oa_safe(fixture("oa_event_subscribe_qr.xml").replace(b"qrscene_td_sh01", b"last_trade_no_1")))
    assert ours.lanes.only.fields == {"scene": None}


async def test_a_template_that_failed_otherwise_is_failed(ours: House) -> None:
    body = fixture("oa_event_template_finish_block.xml").replace(b"user block", b" system failed")
    await ours.post(oa_safe(body))
    assert ours.lanes.only.fields["status"] == "failed"


async def test_a_subscription_message_that_failed_is_no_event(ours: House) -> None:
    body = fixture("oa_event_sub_sent.xml").replace(b"<ErrorCode>0<", b"<ErrorCode>43101<")
    assert await ours.post(oa_safe(body)) == (200, "success")
    assert ours.lanes.events == {}


async def test_where_a_customer_is_all_day_is_not_kept(ours: House) -> None:
    body = fixture("oa_event_view.xml").replace(b"VIEW", b"LOCATION")
    assert await ours.post(oa_safe(body)) == (200, "success")
    assert ours.lanes.events == {}
    assert ours.metrics.value("zhitu_callbacks_unsupported_total", kind="oa.event.location") == 1


async def test_in_compatible_mode_only_the_ciphertext_is_believed(ours: House) -> None:
    sealed = oa_safe(fixture("oa_text.xml"))
    outer = fixture("oa_text.xml").replace("想预约试驾".encode(), "退订".encode())
    encrypt = sealed.body[sealed.body.index(b"<Encrypt>") : sealed.body.index(b"</xml>")]
    body = outer.replace(b"</xml>", encrypt + b"</xml>")
    assert await ours.post(Push(path="/callback/oa/mixed", query=sealed.query, body=body)) == (200, "success")
    assert ours.lanes.only.fields["text"] == "想预约试驾"


async def test_a_buyers_text_that_looks_like_an_envelope_does_no_harm(ours: House) -> None:
    sealed = oa_safe(fixture("oa_text.xml"))
    body = sealed.body.replace(b"<Encrypt>", b"<Content><![CDATA[<Encrypt>AAAA</Encrypt>]]></Content><Encrypt>")
    assert await ours.post(Push(path="/callback/oa/mixed", query=sealed.query, body=body)) == (200, "success")


async def test_both_keys_open_messages_during_a_rotation() -> None:
    async with house(aes_keys=(OTHER_AES_KEY, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")) as rotating:
        await rotating.post(oa_safe(fixture("oa_text.xml")))
        sealed = seal(fixture("oa_image.xml"), receive_id=APP_ID, aes_key=OTHER_AES_KEY)
        await rotating.post(oa_safe(b"", sealed=sealed))
        assert [event.fields["kind"] for event in rotating.lanes.events.values()] == ["text", "image"]


async def test_nul_and_lone_surrogates_are_replaced_and_flagged(ours: House) -> None:
    fields = json.loads(
        '{"FromUserName":"o1","CreateTime":1760000000,"MsgType":"text","MsgId":7,"Content":"\\u0000车\\ud800"}'
    )
    await ours.post(oa_safe(json.dumps(fields).encode(), json_form=True))
    assert ours.lanes.only.fields == {"kind": "text", "text": "\ufffd车\ufffd", "repaired": True}


async def test_a_surrogate_in_xml_bytes_is_replaced_and_flagged(ours: House) -> None:
    await ours.post(oa_safe(fixture("oa_text.xml").replace("想".encode(), b"\xed\xa0\x80")))
    assert ours.lanes.only.fields == {"kind": "text", "text": "\ufffd预约试驾", "repaired": True}


@pytest.mark.parametrize("path", ["/callback/oa/main", "/callback/oa/plain", "/callback/oa/mixed"])
async def test_the_url_check_is_answered_with_the_echo_string_alone(ours: House, path: str) -> None:
    query = {"signature": sha1("demoToken123", "1760000005", "n"), "timestamp": "1760000005", "nonce": "n"}
    assert await ours.get(path, query | {"echostr": "5927782489442352469"}) == (200, "5927782489442352469")


async def test_the_url_check_with_another_token_is_refused(ours: House) -> None:
    query = {"signature": sha1("wrong", "1760000005", "n"), "timestamp": "1760000005", "nonce": "n", "echostr": "1"}
    assert (await ours.get("/callback/oa/main", query))[0] == 403
