"""Stories of real databases: the engine runs a small journey, and `why` tells what became of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.customer import Customer, Human
from bot.core.ids import ConversationId, CustomerId, EffectId, StaffId
from bot.errors import ChannelError, Refused, TryLater, Unknown, Unreachable
from bot.runtime.why import Line, Story, as_json, as_text, last_decision, lines, tell
from bot.storage import Storage, Transaction
from tests.storage.makers import TurnedClock, write
from tests.storage.why_stage import Stage, brand, staged


@pytest.fixture
async def stage(storage: Storage, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(storage, clock, brand(tmp_path / "brand")) as found:
        yield found


def told(story: Story) -> list[str]:
    return [line.text for line in lines(story)]


def sends(story: Story) -> dict[str, Line]:
    """Of every content the line of its first message."""
    found: dict[str, Line] = {}
    for line in lines(story):
        if line.kind == "send":
            found.setdefault(line.content, line)
    return found


def kinds(story: Story, kind: str) -> list[Line]:
    return [line for line in lines(story) if line.kind == kind]


async def test_the_whole_way_to_a_lead_reads_as_pinned(stage: Stage) -> None:
    await stage.act("oa.follow", scene="EXPO")
    await stage.say("选车")
    await stage.say("安娜小姐")
    assert as_text(await stage.story()) == (
        "客户 1（oa:main:oAnna）\n"
        "\n"
        "2026-05-01 20:00:00  客户关注公众号（来源 EXPO）\n"
        "├─ 进入旅程 oa-why（客户关注公众号）\n"
        "├─ oa-why：开始 → hello\n"
        "├─ 计划发送 welcome（文字，服务消息）：可回复时段（关注）已用 0/3 条，5月1日 20:00 关闭\n"
        "│  └─ welcome：已发出，平台已接受（5月1日 20:00，平台编号 id-welcome）\n"
        "├─ oa-why：hello → need\n"
        "└─ 计划发送 ask-need（带选项的消息，服务消息）：可回复时段（关注）已用 0/3 条，5月1日 20:00 关闭\n"
        "   └─ ask-need：已发出，平台已接受（5月1日 20:00，平台编号 id-ask-need）\n"
        "\n"
        "2026-05-01 20:00:00  客户来信（文字）\n"
        "├─ 〔oa-why〕第 4 步接下：正在等回答的问题\n"
        "├─ 问题 need：收下 '看车'\n"
        "├─ oa-why：need → nick\n"
        "└─ 计划发送 ask-nick（文字，服务消息）：可回复时段（关注）已用 2/3 条，5月1日 20:00 关闭\n"
        "   └─ ask-nick：已发出，平台已接受（5月1日 20:00，平台编号 id-ask-nick）\n"
        "\n"
        "2026-05-01 20:00:00  客户来信（文字）\n"
        "├─ 〔oa-why〕第 8 步接下：正在等回答的问题\n"
        "├─ 问题 nick：收下 •••\n"
        "├─ 记下 customer.nick = •••\n"
        "├─ oa-why：nick → assign\n"
        "├─ 建立线索（阶段 new）\n"
        "├─ 任务派给同事 lilei（advisor）\n"
        "│  └─ 任务卡片 给同事 lilei：已发出，平台已接受（5月1日 20:00，平台编号 id-task）\n"
        "├─ 计划发送 thanks（文字，服务消息）：可回复时段（来信）已用 0/5 条，5月3日 20:00 关闭\n"
        "│  └─ thanks：已发出，平台已接受（5月1日 20:00，平台编号 id-thanks）\n"
        "├─ oa-why：assign → done\n"
        "└─ 旅程 oa-why 结束：success\n"
        "\n"
        "现在（2026-05-01 20:00）\n"
        "├─ oa:main 可回复时段（关注）：还能发 0/3 条，5月1日 20:00 关闭\n"
        "├─ oa:main 可回复时段（来信）：还能发 4/5 条，5月3日 20:00 关闭\n"
        "├─ 线索：阶段 new，还没有分配同事，来源 EXPO（5月1日 20:00 建立）\n"
        "├─ 〔oa-why〕任务：等同事 lilei 接受，截止 5月1日 20:30\n"
        "└─ 5月1日 20:30 任务的截止时间到\n"
    )


async def test_nothing_that_anybody_said_and_no_name_stands_in_a_story(stage: Stage) -> None:
    await stage.act("oa.follow", scene="138 0013 8000")
    await stage.say("选车")
    await stage.say("安娜小姐")
    await stage.say("我的电话是 13800138000")
    story = await stage.story()
    whole = as_text(story) + as_json(story)
    assert [words for words in ("安娜", "选车", "我的电话", "13800138000", "0013", "欢迎来到") if words in whole] == []


async def test_a_reminder_that_was_not_sent_names_the_rule_with_its_values(stage: Stage) -> None:
    await stage.act("oa.follow")
    await stage.turn(hours=1)
    assert [line.text for line in last_decision(await stage.story())] == [
        "oa-why：等客户回答的时限到（定于 5月1日 21:00）",
        "oa-why：need → nudge",
        "条件 window.open and counts.nudge < 1 不成立：window.open = 否，counts.nudge = 0",
        "oa-why：nudge → gone",
        "旅程 oa-why 结束：abandoned",
    ]


async def test_a_message_put_off_says_until_when_and_why(stage: Stage) -> None:
    await stage.act("oa.follow")
    await stage.say("今天天气不错")
    await stage.turn(hours=1)
    story = await stage.story()
    planned = next(line for line in lines(story) if line.kind == "planned" and line.content == "nudge")
    assert (planned.outcome, planned.text.startswith("计划发送 nudge（文字，提醒），推迟到 5月2日 09:0")) == (
        "quiet_hours",
        True,
    )
    assert "免打扰" in planned.text
    waiting = sends(story)["nudge"]
    assert (waiting.outcome, waiting.tone, waiting.text.startswith("nudge：等到 5月2日 09:0")) == (
        "ready",
        "info",
        True,
    )
    assert [line.text for line in story.present if line.kind == "send"] == [waiting.text]


async def test_what_an_opt_out_holds_back_says_so(stage: Stage) -> None:
    await stage.act("oa.follow")
    await stage.say("今天天气不错")
    await stage.turn(hours=1)
    await stage.say("退订")
    story = await stage.story()
    assert sends(story)["nudge"].outcome == "suppressed"
    assert sends(story)["nudge"].text.startswith("nudge：没有发出：")
    assert [line.text for line in last_decision(story)][1:5] == [
        "第 2 步接下：任何时候都先听的插话规则",
        "触发插话规则 opt_out：结束客户的所有旅程",
        "旅程 oa-why 结束：opt_out（客户退订）",
        "客户退订全部消息；还没发出的不再发",
    ]
    assert [line.text for line in story.present if line.kind == "opt_out"] == ["客户已退订全部消息（5月1日 21:00 起）"]


@pytest.mark.parametrize(
    ("answer", "outcome", "text"),
    [
        (
            Unreachable("full", reason="count", vendor_code=45047),
            "refused",
            "welcome：平台没有接受：平台说可回复的条数已用完（平台错误码 45047）（5月1日 20:00）",
        ),
        (Refused("wrong", vendor_code=40033), "refused", "welcome：平台没有接受：平台错误码 40033（5月1日 20:00）"),
        (
            Unknown("silence"),
            "unknown",
            "welcome：不知道是否送达：请求发出后没有等到平台的答复。为免重复打扰不再发，旅程按已发送继续；"
            "可以再发一次（zhitu retry send ID），或不再发（zhitu retry leave ID）",
        ),
        (
            TryLater("busy", after_s=30),
            "ready",
            "welcome：第 1 次平台没有收下（平台要求稍后再试，或暂时连不上），5月1日 20:00 再试，最迟 5月2日 02:00",
        ),
    ],
)
async def test_what_the_platform_answered_is_told(stage: Stage, answer: ChannelError, outcome: str, text: str) -> None:
    stage.oa.answers["welcome"] = [answer]
    await stage.act("oa.follow")
    found = sends(await stage.story())["welcome"]
    assert (found.outcome, found.text.replace(found.effect, "ID")) == (outcome, text)


async def test_a_refusal_is_an_episode_of_its_own_with_what_followed(stage: Stage) -> None:
    stage.oa.answers["ask-need"] = [Refused("wrong", vendor_code=40033)]
    await stage.act("oa.follow")
    assert [line.text for line in last_decision(await stage.story())] == [
        "回执：ask-need 没有发出去（平台错误码 40033）",
        "ask-need 没有发出去：平台错误码 40033",
        "oa-why 出错：平台错误码 40033（send.rejected.40033）；按旅程的 errors 处理",
        "oa-why：need → gone",
        "旅程 oa-why 结束：abandoned",
    ]


async def test_a_second_try_that_worked_is_counted(stage: Stage) -> None:
    stage.oa.answers["welcome"] = [TryLater("busy", after_s=10)]
    await stage.act("oa.follow")
    await stage.turn(seconds=20)
    assert sends(await stage.story())["welcome"].text == (
        "welcome：已发出，平台已接受（5月1日 20:00，平台编号 id-welcome）；共发了 2 次"
    )


async def test_a_window_that_shut_before_the_message_could_leave_is_named(stage: Stage) -> None:
    stage.oa.answers["welcome"] = [TryLater("busy", after_s=120)]
    await stage.act("oa.follow")
    await stage.turn(minutes=5)
    story = await stage.story()
    assert (
        sends(story)["welcome"].text
        == "welcome：没有发出：可回复时段已关闭（剩 0 条，关闭于 5月1日 20:00）（5月1日 20:02）"
    )
    assert "oa-why 出错：可回复时段已关闭，也没有能用的备选（send.window_closed）；按旅程的 errors 处理" in told(story)


async def test_a_keyword_that_opened_nothing_says_why(stage: Stage) -> None:
    await stage.act("oa.follow")
    await stage.turn(hours=2)
    await stage.say("报价")
    assert [line.text for line in last_decision(await stage.story())][:4] == [
        "客户来信（文字）",
        "第 11 步接下：没有谁认得它",
        "没有进入旅程 oa-why（客户说了关键词）：离上次结束还不够久（reentry: allow after）"
        "（上次结束于 = 5月1日 21:00，上次的结果 = 'abandoned'，最早可再进入 = 5月31日 21:00）",
        "没有人接这条消息：没有问题、关键词或旅程认得它",
    ]


async def test_an_event_that_concerned_nobody_is_told_as_such(stage: Stage) -> None:
    await stage.act("oa.view", url="https://example.com/?token=secret")
    story = await stage.story()
    assert [line.text for line in last_decision(story)] == [
        "客户打开公众号菜单里的网页",
        "没有旅程、关键词或规则对此作出反应",
    ]
    assert "secret" not in as_json(story)


async def test_a_customer_who_left_is_told_as_out_of_reach(stage: Stage) -> None:
    await stage.act("oa.follow")
    await stage.act("oa.unfollow")
    story = await stage.story()
    assert "旅程 oa-why 结束：unreachable（客户已不可达）" in told(story)
    assert [(line.text, line.outcome) for line in kinds(story, "window")] == [
        ("oa:main 已不可达（客户取消关注或账号不存在）", "unreachable")
    ]


async def test_where_a_journey_stands_and_what_comes_next_is_told(stage: Stage) -> None:
    await stage.act("oa.follow")
    story = await stage.story()
    assert [(line.kind, line.text) for line in story.present] == [
        ("state", "旅程 oa-why 在 need：问题 need 已问"),
        ("window", "oa:main 可回复时段（关注）：还能发 1/3 条，5月1日 20:00 关闭"),
        ("pending", "5月1日 21:00 oa-why 在 need：等客户回答的时限到"),
    ]


async def test_a_parked_lane_shows_where_it_stands_still(stage: Stage) -> None:
    await stage.act("oa.follow")
    customer_id = await stage.customer()
    first, second = stage.event("message", kind="text", text="选车"), stage.event("message", kind="text", text="喂")

    def park(tx: Transaction) -> None:
        tx.lanes.park(customer_id, seq=None, reason="KeyError at core/step/machine.py:80")

    await write(stage.storage, park)
    await stage.accept(first)
    await stage.accept(second)
    await stage.engine.quiesce()

    def park_at_first(tx: Transaction) -> None:
        seq = next(line.seq for line in tx.reading.inbox_of(customer_id) if line.event.event_id == first.event_id)
        tx.lanes.park(customer_id, seq=seq, reason="KeyError at core/step/machine.py:80")

    await write(stage.storage, park_at_first)
    story = await stage.story()
    assert [(one.happened.text, one.happened.outcome, one.told) for one in story.episodes[-2:]] == [
        ("客户来信（文字），处理时程序出错（KeyError at core/step/machine.py:80），停在这里", "parked", ()),
        ("客户来信（文字），排在出错的事情后面，还没有处理", "waiting", ()),
    ]
    assert story.present[0].text == (
        "处理停住了：程序出错（KeyError at core/step/machine.py:80），"
        "5月1日 20:00 起新的事件只排队、不处理，排队 2 件；"
        f"程序修好后：zhitu retry lane {customer_id}"
    )
    assert last_decision(story)[0].text == "客户关注公众号"


async def test_only_the_latest_are_told_and_the_story_says_so(stage: Stage) -> None:
    await stage.act("oa.follow")
    await stage.say("选车")
    story = await stage.story(limit=1)
    assert ([one.happened.text for one in story.episodes], story.cut) == (["客户来信（文字）"], True)
    assert "只显示最近 1 件事，更早的没有显示" in as_text(story)
    assert (await stage.story(limit=2)).cut is False


async def test_an_event_whose_record_is_gone_is_still_a_story(stage: Stage) -> None:
    await stage.act("oa.follow")
    await write(
        stage.storage, lambda tx: tx.tidying.sweep("inbox", after=0, before=tx.now + timedelta(days=1), limit=9)
    )
    story = await stage.story()
    assert story.episodes[0].happened.text == "一件事情（原始记录太早，已过保留期或没有读取）"
    assert story.episodes[0].told[0].text == "进入旅程 oa-why（客户关注公众号）"


async def test_what_was_dealt_with_late_says_so(stage: Stage) -> None:
    late = stage.event("oa.follow")
    stage.clock.at += timedelta(minutes=5)
    await stage.accept(late)
    await stage.engine.quiesce()
    assert (await stage.story()).episodes[0].happened.text == "客户关注公众号（5月1日 20:05 才处理）"


async def test_a_colleague_on_the_floor_and_a_stuck_journey_are_told(stage: Stage) -> None:
    await stage.act("oa.follow")
    customer_id = await stage.customer()

    def take_floor(tx: Transaction) -> None:
        before = tx.customers.load([customer_id])[customer_id]
        tx.customers.save([(before, with_colleague(before, stage))])

    await write(stage.storage, take_floor)
    story = await stage.story()
    assert kinds(story, "floor")[0].text == "同事 lilei 正在 oa:main 和客户对话，机器人安静到 5月1日 20:30"
    assert (kinds(story, "state")[0].text, kinds(story, "state")[0].tone) == (
        "旅程 oa-why 在 need：出错停住，等运营处理",
        "no",
    )


def with_colleague(before: Customer, stage: Stage) -> Customer:
    talk = before.conversations[ConversationId("oa:main:oAnna")]
    until = stage.clock.now() + timedelta(minutes=30)
    human = Human(staff_id=StaffId("lilei"), account="main", until=until, task_id=EffectId("T1"))
    runs = {key: replace(run, status="stuck", pending=None) for key, run in before.enrolments.items()}
    talks = {talk.conversation_id: replace(talk, human=human)}
    return replace(before, conversations=talks, enrolments=runs)


async def test_somebody_who_was_never_heard_of_has_an_empty_story(storage: Storage) -> None:
    story = await storage.read(lambda tx: tell(tx, CustomerId(404)))
    assert (story.episodes, story.present, last_decision(story)) == ((), (), ())
    assert as_text(story) == "客户 404\n\n还没有任何记录\n"
