"""An official account, whole: what a buyer does on the phone reaches us, and what we send reaches the phone."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.channels.oa.codec import Mode
from bot.core.messages import Menu, MenuChoice, Message, TemplateMessage, Text
from bot.errors import TryLater, Unknown, Unreachable

from .meeting import OPENID, Meeting, meeting
from .vendor import effect

ASK = Menu(
    head="想看哪款？", choices=(MenuChoice(choice_id="E.1.0", text="轿车"), MenuChoice(choice_id="E.1.1", text="SUV"))
)


@pytest.fixture
async def met() -> AsyncIterator[Meeting]:
    async with meeting() as both:
        yield both
        assert both.unfaithful() == []


async def _send(met: Meeting, message: Message) -> None:
    await met.oa.send(effect(message, to=OPENID))


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_the_url_is_verified_and_a_follow_arrives_in_every_mode(mode: Mode) -> None:
    async with meeting(mode=mode) as met:
        assert (await met.emulator.verify_callback("oa", "main")).accepted
        (event,) = await met.does(do="follow", openid=OPENID, scene="td_sh01")
        assert (event.type, event.sender, event.fields) == ("oa.follow", OPENID, {"scene": "td_sh01"})
        assert met.unfaithful() == []


async def test_what_a_buyer_does_becomes_events(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID)
    (said,) = await met.does(do="say", openid=OPENID, text="看车 <b> ]]> & 😀")
    assert said.fields == {"kind": "text", "text": "看车 <b> ]]> & 😀"}
    (clicked,) = await met.does(do="menu", openid=OPENID, key="MENU_TESTDRIVE")
    assert (clicked.type, clicked.fields) == ("oa.click", {"key": "MENU_TESTDRIVE"})
    (left,) = await met.does(do="unfollow", openid=OPENID)
    assert left.type == "oa.unfollow"


async def test_a_menu_that_we_send_comes_back_as_the_tapped_choice(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID)
    await _send(met, ASK)
    shown = met.emulator.buyer_chat(OPENID)[-1]
    assert [text for _, text in shown.choices] == ["轿车", "SUV"]
    (tapped,) = await met.does(do="tap", openid=OPENID, menu_id="E.1.1")
    assert tapped.fields == {"kind": "menu_tap", "text": "SUV", "menu_id": "E.1.1"}


async def test_a_template_message_arrives_and_its_receipt_comes_back(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID)
    visit = TemplateMessage(template="visit", fields=(("thing1", "周六到店"), ("time2", "10:00")))
    accepted = await met.oa.send(effect(visit, to=OPENID))
    await met.emulator.idle()
    receipt = list(met.lanes.events.values())[-1]
    assert (receipt.type, receipt.fields["status"]) == ("template.finished", "success")
    assert receipt.fields["provider_id"] == accepted.provider_id != ""


async def test_the_windows_of_the_platform_become_reasons(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID)
    for number in range(3):
        await _send(met, Text(text=str(number)))
    with pytest.raises(Unreachable) as used_up:
        await _send(met, Text(text="4"))
    assert used_up.value.reason == "count"
    met.clock.advance(timedelta(minutes=2))
    with pytest.raises(Unreachable) as shut:
        await _send(met, Text(text="5"))
    assert shut.value.reason == "window"
    await met.does(do="unfollow", openid=OPENID)
    with pytest.raises(Unreachable) as gone:
        await _send(met, Text(text="6"))
    assert gone.value.reason == "gone"


async def test_a_token_that_dies_early_is_replaced_unnoticed(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID)
    await _send(met, Text(text="1"))
    met.emulator.kill_tokens("oa", "main")
    await _send(met, Text(text="2"))
    assert [bubble.text for bubble in met.emulator.buyer_chat(OPENID)][-2:] == ["1", "2"]


async def test_a_turned_clock_costs_one_new_token(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID)
    await met.does(do="say", openid=OPENID, text="您好")
    await _send(met, Text(text="1"))
    met.clock.advance(timedelta(hours=25))
    await _send(met, Text(text="2"))
    assert met.oa.trouble is None


async def test_a_follower_is_described(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID, scene="td_sh01")
    follower = await met.oa.user_info(OPENID)
    assert (follower.follows, follower.scene) == (True, "td_sh01")
    assert follower.unionid


async def test_a_reply_that_is_lost_after_the_platform_took_the_message_is_unknown(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID)
    await met.oa.prepare()
    met.emulator.faults.lose_replies("oa", 1)
    with pytest.raises(Unknown):
        await _send(met, Text(text="once"))
    assert met.emulator.buyer_chat(OPENID)[-1].text == "once"


async def test_a_platform_that_is_down_takes_nothing_and_says_try_later(met: Meeting) -> None:
    await met.does(do="follow", openid=OPENID)
    await met.emulator.faults.take_down("oa")
    with pytest.raises(TryLater):
        await met.oa.prepare()
    assert met.oa.trouble is not None
    await met.emulator.faults.bring_up("oa")
    met.clock.advance(timedelta(seconds=30))
    await _send(met, Text(text="again"))
    assert met.oa.trouble is None
