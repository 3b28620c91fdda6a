"""A WeCom application, whole: cards reach the advisor, and her clicks and words reach us."""

from collections.abc import AsyncIterator

import pytest

from bot.core.messages import Card, CardButton, Markdown, Message, Text
from bot.errors import Unreachable
from bot.runtime.ports import Accepted

from .meeting import ADVISOR, Meeting, meeting
from .vendor import effect

TASK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LEAD = Card(
    task_id=TASK,
    title="新试驾线索",
    description="上海 / 今天",
    rows=(("车型", "示例SUV"),),
    quote="想预约试驾",
    buttons=(CardButton(key="accept", text="接受"), CardButton(key="busy", text="没空", style=2)),
)


@pytest.fixture
async def met() -> AsyncIterator[Meeting]:
    async with meeting() as both:
        yield both
        assert both.unfaithful() == []


async def _send(met: Meeting, message: Message, *, to: str = ADVISOR) -> Accepted:
    return await met.app.send(effect(message, to=to, channel="app"))


async def test_the_url_is_verified(met: Meeting) -> None:
    assert (await met.emulator.verify_callback("wecom", "main")).accepted


async def test_what_an_advisor_writes_reaches_us(met: Meeting) -> None:
    (said,) = await met.does(do="staff_say", staff_id=ADVISOR, text="您好，我是张敏")
    assert (said.type, said.sender, said.fields) == ("advisor.said", ADVISOR, {"text": "您好，我是张敏"})


async def test_texts_and_markdown_reach_the_advisor(met: Meeting) -> None:
    await _send(met, Text(text="客户：看车"))
    await _send(met, Markdown(text="**待办**"))
    assert [bubble.text for bubble in met.emulator.staff_chat(ADVISOR)] == ["客户：看车", "**待办**"]


async def test_a_card_is_clicked_replaced_clicked_again_and_marked_as_done(met: Meeting) -> None:
    assert (await _send(met, LEAD)).response_code
    (accepted,) = await met.does(do="click", staff_id=ADVISOR, task_id=TASK, key="accept")
    assert (accepted.type, accepted.fields["key"], accepted.fields["task_id"]) == ("card.clicked", "accept", TASK)

    code = str(accepted.fields["response_code"])
    opened = (CardButton(key="open", text="开始对话"), CardButton(key="done", text="完成"))
    await _send(met, Card(task_id=TASK, title="新试驾线索", description="", buttons=opened, response_code=code))
    (shown,) = met.emulator.staff_chat(ADVISOR)
    assert [(button.key, button.disabled) for button in shown.buttons] == [("open", False), ("done", False)]

    (finished,) = await met.does(do="click", staff_id=ADVISOR, task_id=TASK, key="done")
    code = str(finished.fields["response_code"])
    await _send(met, Card(task_id=TASK, title="", description="", done="已完成", response_code=code))
    (shown,) = met.emulator.staff_chat(ADVISOR)
    assert all(button.disabled for button in shown.buttons)
    assert "已完成" in [button.text for button in shown.buttons]


async def test_a_code_serves_for_one_change_of_a_card(met: Meeting) -> None:
    await _send(met, LEAD)
    (clicked,) = await met.does(do="click", staff_id=ADVISOR, task_id=TASK, key="accept")
    done = Card(
        task_id=TASK, title="", description="", done="已接受", response_code=str(clicked.fields["response_code"])
    )
    await _send(met, done)
    with pytest.raises(Unreachable):
        await _send(met, done)


async def test_a_member_who_does_not_exist_is_gone(met: Meeting) -> None:
    with pytest.raises(Unreachable) as caught:
        await _send(met, LEAD, to="nobody")
    assert caught.value.reason == "gone"


async def test_a_token_that_dies_early_is_replaced_unnoticed(met: Meeting) -> None:
    await _send(met, Text(text="1"))
    met.emulator.kill_tokens("wecom", "main")
    await _send(met, Text(text="2"))
    assert [bubble.text for bubble in met.emulator.staff_chat(ADVISOR)] == ["1", "2"]
