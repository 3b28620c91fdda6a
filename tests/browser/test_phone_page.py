"""The phone page by itself: what it shows and what it asks for. Behind it stands only a script."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from bot.sandbox.phone.snapshot import (
    Bubble,
    Button,
    Choice,
    DueTimer,
    Inside,
    JourneyState,
    Lead,
    MenuButton,
    Reason,
    Window,
)

from .phone import Phone, Seen
from .play import MORNING, Play, served

pytestmark = pytest.mark.asyncio(loop_scope="session")

CARD = Bubble(
    seq=0,
    at=MORNING,
    side="them",
    kind="card",
    title="新线索 王先生：看车",
    description="请在 30 分钟内联系客户",
    rows=(("手机", "138****8000"), ("来源", "sh_pudong")),
    quote="客户：看车",
    buttons=(Button(key="accept", text="接受"), Button(key="busy", text="在忙", style=2)),
    task_id="TASK1",
)


@pytest_asyncio.fixture(loop_scope="session")
async def play() -> Play:
    return Play()


@pytest_asyncio.fixture(loop_scope="session")
async def address(play: Play) -> AsyncIterator[str]:
    async with served(play) as address:
        yield address


@pytest_asyncio.fixture(loop_scope="session")
async def opened(phone: Phone, address: str) -> Phone:
    return await phone.open(address)


def from_account(text: str) -> Bubble:
    return Bubble(seq=0, at=MORNING, side="them", kind="text", text=text)


async def test_a_first_visitor_becomes_a_new_buyer_who_does_not_follow_yet(play: Play, opened: Phone) -> None:
    await expect(opened.page.get_by_test_id("buyer-profile")).to_be_visible()
    await expect(opened.page.get_by_test_id("buyer-composer")).to_be_hidden()
    assert play.acts == [{"do": "new_buyer", "openid": ""}]


async def test_following_opens_the_chat_and_unfollowing_closes_it_again(play: Play, opened: Phone) -> None:
    await opened.follow()
    await expect(opened.page.get_by_test_id("buyer-composer")).to_be_visible()
    await opened.unfollow()
    await expect(opened.page.get_by_test_id("buyer-composer")).to_be_hidden()
    assert play.acts[1:] == [
        {"do": "follow", "openid": "o1", "scene": ""},
        {"do": "unfollow", "openid": "o1"},
    ]


async def test_what_the_buyer_says_stands_on_the_right_and_what_the_account_says_on_the_left(
    play: Play, opened: Phone
) -> None:
    await opened.follow()
    await opened.buyer.say("看车")
    await opened.buyer.shows("看车")
    await play.buyer_gets(from_account("请问怎么称呼您？"))
    await opened.buyer.shows("请问怎么称呼您？")
    assert await opened.buyer.bubbles() == [
        Seen(side="me", kind="text", text="看车"),
        Seen(side="them", kind="text", text="请问怎么称呼您？"),
    ]


async def test_markup_that_somebody_typed_stays_text_everywhere(play: Play, opened: Phone) -> None:
    evil = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
    await opened.follow()
    await opened.buyer.say(evil)
    await play.advisor_gets("zhangmin", replace(CARD, title=evil, description=evil, quote=evil, rows=((evil, evil),)))
    await play.advisor_gets("zhangmin", replace(CARD, kind="markdown", text=f"**{evil}**", buttons=()))
    await play.show_inside(Inside(attributes={evil: evil}, tags=(evil,), reasons=(Reason(at=MORNING, text=evil),)))
    assert (await opened.buyer.shows(evil)).text == evil
    assert await opened.page.get_by_test_id("tag").inner_text() == evil
    assert await opened.reasons() == [evil]
    await expect(opened.advisor.bubble("img")).to_have_count(1)
    assert await opened.page.locator("main script, main img[src='x']").count() == 0
    assert await opened.page.evaluate("window.hurt") is None


async def test_links_of_the_account_are_links_and_other_schemes_are_not(play: Play, opened: Phone) -> None:
    text = '<a href="https://example.com/s7">了解 S7</a> <a href="javascript:alert(1)">点我</a>'
    await play.buyer_gets(from_account(text))
    await opened.buyer.shows("了解 S7")
    links = opened.page.get_by_test_id("buyer-bubble").get_by_role("link")
    assert [await link.get_attribute("href") for link in await links.all()] == ["https://example.com/s7"]


async def test_a_tap_on_a_menu_line_says_which_line(play: Play, opened: Phone) -> None:
    choices = (Choice(id="E1.3.0", text="看车"), Choice(id="E1.3.1", text="养车"))
    await opened.follow()
    await play.buyer_gets(
        replace(from_account("想了解什么？"), kind="menu", choices=choices, description="也可以直接打字")
    )
    await opened.buyer.tap("养车")
    await opened.buyer.shows("养车")
    await opened.idle()
    assert play.acts[-1] == {"do": "tap", "openid": "o1", "menu_id": "E1.3.1", "text": "养车"}


async def test_the_custom_menu_sends_keys_also_from_its_second_level(play: Play, opened: Phone) -> None:
    second = MenuButton(name="养车", children=(MenuButton(name="预约保养", key="service"),))
    await play.show(replace(play.shown, menu=(MenuButton(name="试驾", key="drive"), second)))
    await opened.follow()
    await opened.buyer.menu("drive")
    await opened.buyer.menu("service")
    await opened.idle()
    assert [act["key"] for act in play.acts if act["do"] == "menu"] == ["drive", "service"]


async def test_a_template_message_shows_title_and_rows(play: Play, opened: Phone) -> None:
    await opened.follow()
    rows = (("预约人", "王先生"), ("门店", "上海浦东"))
    await play.buyer_gets(replace(from_account(""), kind="template", title="预约成功通知", rows=rows))
    seen = await opened.buyer.shows("预约成功通知")
    assert (seen.kind, "王先生" in seen.text, "上海浦东" in seen.text) == ("template", True, True)


async def test_a_card_button_says_whose_card_it_is_and_is_dead_after_its_replacement(play: Play, opened: Phone) -> None:
    await play.advisor_gets("zhangmin", CARD)
    await opened.advisor.click("accept")
    await opened.idle()
    await play.replace_card("zhangmin", replace(CARD, buttons=(Button(key="accept", text="已接受", disabled=True),)))
    button = opened.advisor.card().get_by_test_id("card-button")
    await expect(button).to_have_count(1)
    await expect(button).to_have_text("已接受")
    await expect(button).to_be_disabled()
    assert play.acts[-1] == {
        "do": "click", "openid": "o1", "staff_id": "zhangmin", "task_id": "TASK1", "key": "accept",
    }  # fmt: skip


async def test_each_advisor_has_a_chat_and_unread_messages_are_counted(play: Play, opened: Phone) -> None:
    await play.advisor_gets("lijun", from_account("超时提醒"))
    await expect(opened.page.locator('[data-staff-id="lijun"] .unread')).to_have_text("1")
    await opened.advisor.select("lijun")
    await opened.advisor.shows("超时提醒")
    await opened.advisor.say("我来联系")
    await opened.advisor.shows("我来联系")
    await expect(opened.page.locator(".unread")).to_have_count(0)
    assert play.acts[-1] == {"do": "staff_say", "openid": "o1", "staff_id": "lijun", "text": "我来联系"}


async def test_the_middle_shows_where_the_buyer_stands_and_why(play: Play, opened: Phone) -> None:
    page = opened.page
    await play.show_inside(
        Inside(
            journeys=(
                JourneyState(journey="oa-welcome", name="新关注接待", state="phone", visit=4, slots={"need": "看车"}),
            ),
            tags=("新关注",),
            score=35,
            lead=Lead(lead_id="L1", stage="新线索", rows=(("需求", "看车"),)),
            floor="顾问 张敏",
            windows=(Window(kind="message", left=4, max=5, closes_at=MORNING + timedelta(hours=48)),),
            timers=(DueTimer(what="phone 超时", due_at=MORNING + timedelta(hours=4)),),
            reasons=(Reason(at=MORNING, text="consent.granted 成立", tone="ok"),),
        )
    )
    await opened.in_state("oa-welcome", "phone")
    assert await opened.reasons() == ["consent.granted 成立"]
    assert await page.get_by_test_id("floor").inner_text() == "顾问 张敏"
    assert await page.get_by_test_id("score").inner_text() == "35"
    assert await page.get_by_test_id("lead").get_attribute("data-stage") == "新线索"
    assert "还可发 4/5 条" in await page.get_by_test_id("window").inner_text()
    assert "还有 4 小时" in await page.get_by_test_id("timer").inner_text()


async def test_turning_the_clock_shows_the_later_time_in_shanghais_zone(play: Play, opened: Phone) -> None:
    assert await opened.clock() == "12月1日 周二 09:30"
    await opened.turn(3600)
    await expect(opened.page.get_by_test_id("clock")).to_have_text("12月1日 周二 10:30")
    assert play.acts[-1] == {"do": "turn", "openid": "o1", "seconds": 3600}


async def test_scanning_a_code_follows_first_and_is_a_scan_afterwards(play: Play, opened: Phone) -> None:
    await opened.scan("sh_pudong")
    await expect(opened.page.get_by_test_id("unfollow")).to_be_visible()
    await opened.scan("sh_pudong")
    await opened.idle()
    assert [(act["do"], act.get("scene")) for act in play.acts[1:]] == [("follow", "sh_pudong"), ("scan", "sh_pudong")]


async def test_a_refused_action_is_told_and_the_words_are_not_lost(play: Play, opened: Phone) -> None:
    await opened.follow()
    play.refusal = "客户泳道已停下，请看 zhitu why"
    await opened.buyer.say("还在吗")
    assert await opened.toast() == "客户泳道已停下，请看 zhitu why"
    await expect(opened.page.get_by_test_id("buyer-input")).to_have_value("还在吗")


async def test_files_that_were_refused_are_shown_above_everything_until_they_are_mended(
    play: Play, opened: Phone
) -> None:
    note = opened.page.get_by_test_id("files-refused")
    await expect(note).to_be_hidden()
    await play.show(replace(play.shown, refused="journeys/a.yaml:24:11: error[J103]\n   24 │     then: plaec"))
    await expect(note).to_contain_text("改动有错，仍用原来的旅程")
    await expect(opened.page.get_by_test_id("files-refused-why")).to_contain_text("24 │     then: plaec")
    await expect(note).to_be_in_viewport(ratio=1)
    await expect(opened.page.get_by_test_id("buyer-profile")).to_be_in_viewport(ratio=1)
    await play.show(replace(play.shown, refused=""))
    await expect(note).to_be_hidden()


async def test_a_new_buyer_begins_with_an_empty_chat(play: Play, opened: Phone) -> None:
    await opened.follow()
    await opened.buyer.say("看车")
    await opened.buyer.shows("看车")
    await opened.new_buyer()
    assert await opened.buyer.bubbles() == []
    await expect(opened.page.get_by_test_id("buyer-profile")).to_be_visible()
    await opened.follow()
    assert play.acts[-1] == {"do": "follow", "openid": "o2", "scene": ""}


async def test_a_reload_keeps_the_buyer(play: Play, opened: Phone) -> None:
    await opened.follow()
    await opened.page.reload()
    await opened.idle()
    await expect(opened.page.get_by_test_id("unfollow")).to_be_visible()
    assert play.buyers == 1


async def test_a_buyer_whom_a_restarted_server_does_not_know_is_replaced(play: Play, opened: Phone) -> None:
    await play.show(replace(play.shown, buyer=replace(play.shown.buyer, openid="somebody-else")))
    await opened.shows_buyer("o2")
    await opened.idle()
    await opened.follow()
    assert play.acts[-1] == {"do": "follow", "openid": "o2", "scene": ""}


async def test_a_server_that_went_away_is_told(phone: Phone) -> None:
    async with served(Play()) as address:
        await phone.open(address)
    await expect(phone.page.get_by_test_id("offline")).to_be_visible()


async def test_a_long_chat_stays_at_its_newest_message(play: Play, opened: Phone) -> None:
    await opened.follow()
    for number in range(40):
        await play.buyer_gets(from_account(f"第 {number} 条"))
    await expect(opened.buyer.bubble("第 39 条")).to_be_in_viewport()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 768), (390, 844), (360, 640)])
async def test_nothing_is_wider_than_the_screen(
    play: Play, opened: Phone, context: BrowserContext, width: int, height: int
) -> None:
    await opened.page.set_viewport_size({"width": width, "height": height})
    await opened.follow()
    await play.buyer_gets(from_account("https://example.com/" + "a" * 300))
    await play.advisor_gets("zhangmin", replace(CARD, title="长" * 80, rows=(("k" * 60, "v" * 200),)))
    await play.show_inside(Inside(tags=("t" * 200,), reasons=(Reason(at=MORNING, text="r" * 300),)))
    await expect(opened.page.get_by_test_id("reason").first).to_be_visible()
    overflow = await opened.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0


async def test_every_control_has_a_name_for_screen_readers(play: Play, opened: Phone) -> None:
    await play.advisor_gets("zhangmin", CARD)
    await opened.follow()
    await expect(opened.advisor.card()).to_be_visible()
    for control in await opened.page.locator("button:visible, input:visible").all():
        label = (await control.get_attribute("aria-label") or "") + await control.inner_text()
        assert label.strip() != "", await control.evaluate("node => node.outerHTML")
