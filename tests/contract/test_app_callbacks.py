"""Every push of a WeCom application, through HTTP."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from .posting import CORP_ID, OTHER_AES_KEY, House, Push, fixture, house, seal, sha1, wecom

CARD = fixture("wecom_template_card_event.xml")


@pytest.fixture
async def ours() -> AsyncIterator[House]:
    async with house() as running:
        yield running


async def test_what_an_advisor_writes_is_an_urgent_event_of_hers(ours: House) -> None:
    assert await ours.post(wecom(fixture("wecom_app_text.xml"))) == (200, "")
    event = ours.lanes.only
    assert (event.type, event.sender, event.fields) == ("advisor.said", "adviser01", {"text": "今日线索"})
    assert (event.channel, event.account, event.urgent) == ("app", "main", True)
    assert event.event_id == hashlib.sha256(f"wecom|{CORP_ID}|740000000001".encode()).hexdigest()


async def test_a_click_on_a_card_tells_button_card_and_code(ours: House) -> None:
    assert await ours.post(wecom(CARD)) == (200, "")
    event = ours.lanes.only
    assert (event.type, event.urgent) == ("card.clicked", True)
    assert event.fields == {"key": "btn_accept", "task_id": "lead_1001", "response_code": "RESP_demo_1"}


async def test_two_clicks_in_one_second_stay_apart(ours: House) -> None:
    await ours.post(wecom(CARD))
    await ours.post(wecom(CARD.replace(b"lead_1001", b"lead_1002")))
    assert [event.fields["task_id"] for event in ours.lanes.events.values()] == ["lead_1001", "lead_1002"]


async def test_the_same_click_delivered_again_is_kept_once(ours: House) -> None:
    await ours.post(wecom(CARD))
    assert await ours.post(wecom(CARD, timestamp="1760000008", nonce="fresh")) == (200, "")
    assert len(ours.lanes.events) == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("wecom_template_card_menu_event.xml", "app.event.template_card_menu_event"),
        ("wecom_add_external_contact.xml", "app.event.change_external_contact"),
        ("wecom_add_half_external_contact.xml", "app.event.change_external_contact"),
        ("wecom_del_external_contact.xml", "app.event.change_external_contact"),
        ("wecom_del_follow_user.xml", "app.event.change_external_contact"),
        ("wecom_edit_external_contact.xml", "app.event.change_external_contact"),
        ("wecom_transfer_fail.xml", "app.event.change_external_contact"),
        ("wecom_change_external_chat_update.xml", "app.event.change_external_chat"),
        ("wecom_change_external_tag_create.xml", "app.event.change_external_tag"),
        ("wecom_customer_acquisition_friend_request.xml", "app.event.customer_acquisition"),
        ("wecom_kf_msg_or_event.xml", "app.event.kf_msg_or_event"),
    ],
)
async def test_events_without_use_are_answered_and_counted_by_kind(ours: House, name: str, kind: str) -> None:
    assert await ours.post(wecom(fixture(name))) == (200, "")
    assert ours.lanes.events == {}
    assert ours.metrics.value("zhitu_callbacks_unsupported_total", kind=kind) == 1


async def test_a_kind_that_nobody_knows_is_counted_without_its_name(ours: House) -> None:
    await ours.post(wecom(CARD.replace(b"template_card_event", b"brand_new_event")))
    assert ours.metrics.value("zhitu_callbacks_unsupported_total", kind="app.event.other") == 1


async def test_a_push_of_another_application_is_distrusted(ours: House) -> None:
    assert (await ours.post(wecom(CARD.replace(b"1000002", b"1000003"))))[0] == 403
    assert ours.counted("untrusted", channel="app") == 1


async def test_an_empty_agent_id_is_accepted(ours: House) -> None:
    assert (await ours.post(wecom(CARD.replace(b"1000002", b""))))[0] == 200
    assert len(ours.lanes.events) == 1


async def test_a_push_for_another_corporation_is_distrusted(ours: House) -> None:
    assert (await ours.post(wecom(b"", sealed=seal(CARD, receive_id="wwother"))))[0] == 403
    assert ours.lanes.events == {}


async def test_a_signed_push_that_no_key_opens_is_quarantined(ours: House) -> None:
    sealed = seal(CARD, receive_id=CORP_ID, aes_key=OTHER_AES_KEY)
    assert await ours.post(wecom(b"", sealed=sealed)) == (200, "")
    ((channel, account, body, _),) = ours.lanes.quarantined
    assert (channel, account) == ("app", "main")
    assert sealed.encode() in body


async def test_a_card_click_without_a_task_is_quarantined(ours: House) -> None:
    assert await ours.post(wecom(CARD.replace(b"<![CDATA[lead_1001]]>", b""))) == (200, "")
    assert ours.counted("unreadable", channel="app") == 1


async def test_the_url_check_is_answered_with_the_decrypted_echo(ours: House) -> None:
    sealed = seal(b"5927782489442352469", receive_id=CORP_ID)
    query = {"timestamp": "1760000005", "nonce": "n", "echostr": sealed}
    signature = sha1("demoToken123", "1760000005", "n", sealed)
    answer = await ours.get("/callback/wecom/main", query | {"msg_signature": signature})
    assert answer == (200, "5927782489442352469")


@pytest.mark.parametrize("echo", ["", "!!!!", "AAAA", "5927782489442352469", "汽车"])
async def test_an_echo_that_is_signed_but_not_sealed_is_refused(ours: House, echo: str) -> None:
    signature = sha1("demoToken123", "1760000005", "n", echo)
    query = {"timestamp": "1760000005", "nonce": "n", "echostr": echo, "msg_signature": signature}
    assert (await ours.get("/callback/wecom/main", query))[0] == 403


async def test_a_plain_push_to_wecom_is_distrusted(ours: House) -> None:
    query = {"msg_signature": sha1("demoToken123", "1760000005", "n"), "timestamp": "1760000005", "nonce": "n"}
    assert (await ours.post(Push(path="/callback/wecom/main", query=query, body=CARD)))[0] == 403
