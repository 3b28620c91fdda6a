"""The wording of the journal, word for word."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.effects import Trace
from bot.core.events import Json
from bot.core.ids import EnrolmentId
from bot.runtime.why.line import Line, Wall, masked, shortened, span
from bot.runtime.why.wording import sentence, worded
from tests.unit.why_errand_cases import ERRAND_CASES
from tests.unit.why_global_cases import GLOBAL_CASES
from tests.unit.why_hearing_cases import HEARING

TEN = "2026-12-01T02:00:00+00:00"
"""10:00 in Shanghai."""

CASES: list[tuple[str, dict[str, Json], str, str]] = [
    *HEARING,
    *GLOBAL_CASES,
    ("entered", {"cause": "oa.follow"}, "ok", "进入旅程 oa-welcome（客户关注公众号）"),
    ("entered", {"cause": "call:oa-care"}, "ok", "进入旅程 oa-welcome（由旅程调用：oa-care）"),
    ("entered", {"cause": "interrupt:ask_human"}, "ok", "进入旅程 oa-welcome（因插话规则：ask_human）"),
    (
        "entry_refused",
        {"into": "oa-care", "reason": "already_active", "cause": "keyword"},
        "no",
        "没有进入旅程 oa-care（客户说了关键词）：客户正在这个旅程里",
    ),
    (
        "entry_refused",
        {"into": "oa-care", "reason": "too_soon", "cause": "start:oa-welcome"},
        "no",
        "没有进入旅程 oa-care（由旅程启动：oa-welcome）：离上次结束还不够久（reentry: allow after）",
    ),
    (
        "entry_refused",
        {"into": "oa-care", "reason": "audience", "cause": "oa.scan"},
        "no",
        "没有进入旅程 oa-care（客户扫码）：客户不在这个旅程的受众里",
    ),
    (
        "entered",
        {"cause": "segment.entered", "arm": "holdout", "salt": "s"},
        "info",
        "进入旅程 oa-welcome（客户进入人群）：对照组，只计量，不触达",
    ),
    (
        "entry_refused",
        {"into": "oa-care", "reason": "too_soon", "cause": "keyword", "values": {"ended_at": TEN, "end": "done"}},
        "no",
        "没有进入旅程 oa-care（客户说了关键词）：离上次结束还不够久（reentry: allow after）"
        "（上次结束于 = 12月1日 10:00，上次的结果 = 'done'）",
    ),
    (
        "entry_waits",
        {"into": "oa-care", "cause": "oa.scan", "reason": "queued", "until": None},
        "info",
        "等待进入旅程 oa-care（客户扫码）：等正在进行的一次结束",
    ),
    (
        "entry_waits",
        {"into": "oa-care", "cause": "segment.entered", "reason": "put_off", "until": TEN},
        "info",
        "等待进入旅程 oa-care（客户进入人群）：错开进入，到 12月1日 10:00",
    ),
    ("segment", {"segment": "沪", "within": True, "condition": "a"}, "ok", "进入人群“沪”，条件 a"),
    ("split", {"salt": "v1", "arm": "A", "drawn": True}, "info", "oa-welcome 分到 A（v1，按哈希分组）"),
    ("split", {"salt": "v1", "arm": "A", "drawn": False}, "info", "oa-welcome 分到 A（v1，沿用之前的分组）"),
    (
        "exit",
        {"by": "has_tag('投诉')", "goto": "stopped"},
        "info",
        "oa-welcome 满足退出条件 has_tag('投诉')，离开到 stopped",
    ),
    ("exit", {"by": "goal", "goto": "applied"}, "info", "oa-welcome 达成目标，离开到 applied"),
    ("emit", {"event": "loan.applied"}, "info", "oa-welcome 发出内部事件 loan.applied"),
    ("internal", {"event": "lead.opened"}, "info", "内部事件：新建线索"),
    ("cancel_refused", {"journey": "oa-care", "reason": "own"}, "no", "oa-welcome 不能取消 oa-care：它自己正在其中"),
    ("moved", {"to": "nudge"}, "info", "oa-welcome：phone → nudge"),
    (
        "guard",
        {
            "guard": "window.open and counts.nudge < 1",
            "holds": False,
            "values": {"window.open": False, "counts.nudge": 0},
        },
        "no",
        "条件 window.open and counts.nudge < 1 不成立：window.open = 否，counts.nudge = 0",
    ),
    (
        "guard",
        {
            "guard": "slots.need == '看车'\n  and has(customer.phone)",
            "holds": True,
            "values": {"slots.need": "看车", "customer.phone": "•••", "now": TEN, "vars.n": None},
        },
        "ok",
        "条件 slots.need == '看车' and has(customer.phone) 成立："
        "slots.need = '看车'，customer.phone = •••，now = 12月1日 10:00，vars.n = 空",
    ),
    (
        "operator",
        {"decision": "unpark", "reason": "KeyError at core/step/machine.py:80", "held": 2},
        "info",
        "运营让停住的泳道接着处理（当时停在：KeyError at core/step/machine.py:80；排队 2 件）",
    ),
    (
        "operator",
        {"decision": "send_again", "content": "welcome"},
        "info",
        "运营决定再发一次 welcome（先前不知道是否送达）",
    ),
    ("operator", {"decision": "leave", "content": "welcome"}, "info", "运营决定不再发 welcome（不知道是否送达）"),
    *ERRAND_CASES,
    ("goal", {"goal": "已留资"}, "ok", "oa-welcome 达成目标“已留资”"),
    ("ended", {"end": "success"}, "info", "旅程 oa-welcome 结束：success"),
    ("ended", {"end": "unreachable"}, "no", "旅程 oa-welcome 结束：unreachable（客户已不可达）"),
    ("ended", {"end": "error:call.depth"}, "no", "旅程 oa-welcome 结束：出错：旅程互相调用的层数太深（call.depth）"),
    (
        "error",
        {"error": "loop", "outcome": "stuck"},
        "no",
        "oa-welcome 出错：一次推进走的步数太多，可能在循环（loop）；没有规则处理它，旅程停在这里，已请运营处理",
    ),
    (
        "error",
        {"error": "expr.null", "guard": "slots.budget > 5"},
        "no",
        "oa-welcome 的表达式 slots.budget > 5 出错：表达式用到的值是空的（expr.null）",
    ),
    (
        "error",
        {"error": "send.rejected.45002", "outcome": "handled"},
        "no",
        "oa-welcome 出错：平台错误码 45002（send.rejected.45002）；按旅程的 errors 处理",
    ),
    (
        "error",
        {"error": "send.rejected.refused_by_user"},
        "no",
        "oa-welcome 出错：平台说对方拒收消息（send.rejected.refused_by_user）",
    ),
    ("timer", {"owner": "E1", "timer": "timeout", "due_at": TEN}, "info", "等客户回答的时限到（定于 12月1日 10:00）"),
    ("timer", {"owner": "_task", "timer": "T1", "due_at": TEN}, "info", "任务的截止时间到（定于 12月1日 10:00）"),
    ("timer", {"owner": "E1", "timer": "@d1", "due_at": TEN}, "info", "定时器 d1 到点（定于 12月1日 10:00）"),
    (
        "skipped",
        {"timer": "d1", "why": "past", "due_at": TEN},
        "no",
        "oa-welcome 的定时器 d1 没有执行：这个时间在进入状态时已经过去，按文件跳过，原定于 12月1日 10:00",
    ),
    (
        "skipped",
        {"timer": "wait", "why": "late", "due_at": TEN},
        "no",
        "oa-welcome 的等待没有执行：系统恢复得太晚，按文件跳过，原定于 12月1日 10:00",
    ),
    (
        "rearmed",
        {"timer": "d1", "due_at": TEN},
        "info",
        "oa-welcome 的定时器 d1 改到 12月1日 10:00：它依据的值变了",
    ),
    ("ended", {"end": "expired"}, "info", "旅程 oa-welcome 结束：expired（超过了旅程的最长时间（limits: max_age））"),
    ("answered", {"slot": "need", "outcome": "taken", "value": "看车"}, "ok", "问题 need：收下 '看车'"),
    ("answered", {"slot": "phone", "outcome": "proposed"}, "info", "问题 phone：读到了答案，请客户确认"),
    ("answered", {"slot": "phone", "outcome": "declined"}, "no", "问题 phone：客户说不对，重新问"),
    (
        "unparsed",
        {"slot": "nick", "why": "check", "failures": 1, "allowed": 1},
        "no",
        "问题 nick：答案不符合 check（第 1 次，最多重问 1 次），再问一次",
    ),
    (
        "unparsed",
        {"slot": "nick", "why": "not_understood", "failures": 2, "allowed": 1},
        "no",
        "问题 nick：没有读懂（第 2 次，最多重问 1 次），不再追问（give_up）",
    ),
    ("heard", {"event": "message", "goto": "consent"}, "ok", "oa-welcome 的 phone 在等这件事：客户来信，转到 consent"),
    (
        "heard",
        {"event": "oa.click", "goto": None},
        "ok",
        "oa-welcome 的 phone 在等这件事：客户点公众号菜单，留在原状态",
    ),
    ("unheard", {"why": "no_match"}, "no", "没有人接这条消息：没有问题、关键词或旅程认得它"),
    ("interrupt", {"interrupt": "opt_out", "effect": "end_all"}, "ok", "触发插话规则 opt_out：结束客户的所有旅程"),
    ("tag", {"tag": "新关注", "removed": False}, "info", "打上标签“新关注”"),
    ("tag", {"tag": "新关注", "removed": True}, "info", "去掉标签“新关注”"),
    ("score", {"add": -5, "score": 15}, "info", "意向分 -5，现在 15"),
    ("points", {"add": 50, "reason": "完善资料", "points": 80}, "info", "积分 +50（完善资料），现在 80"),
    ("set", {"name": "customer.phone", "value": "•••"}, "info", "记下 customer.phone = •••"),
    ("note", {"source": "预算 {{ slots.budget }}"}, "info", "给同事留备注（模板：预算 {{ slots.budget }}）"),
    ("lead", {"lead_id": "L1", "stage": "new", "opened": True}, "ok", "建立线索（阶段 new）"),
    ("consent", {"purpose": "电话联系", "granted": True}, "ok", "客户同意授权“电话联系”，已留存依据"),
    ("consent", {"purpose": "电话联系", "granted": False}, "no", "客户撤回授权“电话联系”，已留存依据"),
    ("opt_out", {"scope": "all"}, "no", "客户退订全部消息；还没发出的不再发"),
    (
        "task",
        {"to": "advisor", "outcome": "offered", "task_kind": "task", "staff_id": "lilei"},
        "ok",
        "任务派给同事 lilei（advisor）",
    ),
    (
        "task",
        {"to": "role:店长", "outcome": "nobody", "task_kind": "task"},
        "no",
        "任务派不出去：没有可以接的人（role:店长）",
    ),
    (
        "task",
        {"outcome": "clicked_busy", "staff_id": "lilei", "task_kind": "handoff"},
        "ok",
        "同事 lilei 在转人工卡片上点了“忙，转同事”",
    ),
    (
        "task",
        {"outcome": "overdue", "staff_id": "lilei", "to": "role:店长"},
        "no",
        "任务超时，同事 lilei 还没有联系客户；通知 role:店长",
    ),
    (
        "handoff",
        {"outcome": "off_hours", "hours": "工作时间"},
        "no",
        "不转人工：现在不在“工作时间”内，走 fallback",
    ),
    ("handoff", {"outcome": "offered", "staff_id": "lilei"}, "ok", "转人工：请同事 lilei 接入"),
    ("floor", {"outcome": "human", "staff_id": "lilei"}, "ok", "同事 lilei 接手对话，机器人保持安静"),
    (
        "floor",
        {"outcome": "queued", "holder": "E2", "behind": "test-drive"},
        "no",
        "oa-welcome 的问题先排队：test-drive 正在和客户对话，说完就问",
    ),
    (
        "planned",
        {"content": "welcome", "variant": "normal", "effect": "X", "way": "text", "send_class": "service"},
        "ok",
        "计划发送 welcome（文字，服务消息）",
    ),
    (
        "planned",
        {
            "content": "ask-need",
            "variant": "again",
            "way": "menu",
            "send_class": "service",
            "values": {"bucket": "message", "used": 1, "max": 5, "closes_at": TEN},
        },
        "ok",
        "计划发送 ask-need（带选项的消息，服务消息，换个说法再问）：可回复时段（来信）已用 1/5 条，12月1日 10:00 关闭",
    ),
    (
        "planned",
        {
            "content": "nudge-phone",
            "variant": "normal",
            "way": "text",
            "send_class": "reminder",
            "deferred": "quiet_hours",
            "not_before": TEN,
        },
        "info",
        "计划发送 nudge-phone（文字，提醒），推迟到 12月1日 10:00：现在是免打扰时段",
    ),
    (
        "planned",
        {"content": "ask-phone", "way": "task"},
        "info",
        "ask-phone 发不了，改为请同事联系客户（outside: task）",
    ),
    (
        "not_sent",
        {"content": "nudge-phone", "reason": "window_closed", "values": {"left": 0, "ahead": 0, "closed_at": TEN}},
        "no",
        "没有发送 nudge-phone：可回复时段已关闭（剩 0 条，关闭于 12月1日 10:00）",
    ),
    (
        "not_sent",
        {"content": "nudge-phone", "reason": "window_closed", "values": {"left": 0, "ahead": 0, "closed_at": None}},
        "no",
        "没有发送 nudge-phone：没有打开的可回复时段（要等客户来信或点菜单）",
    ),
    (
        "not_sent",
        {"content": "ask-phone", "reason": "window_used", "values": {"left": 1, "ahead": 1, "closed_at": TEN}},
        "no",
        "没有发送 ask-phone：可回复时段内的条数已用完（剩 1 条，排在前面的有 1 条，关闭于 12月1日 10:00）",
    ),
    (
        "not_sent",
        {
            "content": "promo",
            "reason": "cap",
            "values": {"cap": "营销总量", "counted": 2, "max": 2, "per_s": 604800},
        },
        "no",
        "没有发送 promo：频控“营销总量”已满：7天内 2 条，上限 2 条",
    ),
    (
        "not_sent",
        {"content": "promo", "reason": "opted_out", "values": {"scope": "marketing", "since": TEN}},
        "no",
        "没有发送 promo：客户已退订营销消息（12月1日 10:00起）",
    ),
    (
        "not_sent",
        {"content": "promo", "reason": "no_consent", "values": {"purpose": "营销", "withdrawn": True}},
        "no",
        "没有发送 promo：客户撤回了“营销”授权",
    ),
    (
        "not_sent",
        {"content": "ask-phone", "reason": "no_consent", "purpose": "电话联系"},
        "no",
        "没有发送 ask-phone：没有客户的“电话联系”授权",
    ),
    (
        "not_sent",
        {"content": "ask-phone", "reason": "human_has_floor", "values": {"staff_ids": ["lilei", "zhangmin"]}},
        "no",
        "没有发送 ask-phone：同事 lilei、zhangmin 正在和客户对话",
    ),
    (
        "not_sent",
        {"content": "ask-phone", "reason": "unreachable", "values": {"known": True}},
        "no",
        "没有发送 ask-phone：客户已取消关注，或这个会话已不可达",
    ),
    ("not_sent", {"content": "ask-phone", "reason": "brand_new"}, "no", "没有发送 ask-phone：brand_new"),
    (
        "not_sent",
        {"reason": "unknown_member", "staff_id": "gone"},
        "no",
        "没有通知同事 gone：成员名单（_staff.yaml）里没有 TA",
    ),
    (
        "deferred",
        {
            "content": "promo",
            "reason": "quiet_hours",
            "until": TEN,
            "values": {"until": TEN, "zone": "Asia/Shanghai"},
        },
        "no",
        "promo 推迟到 12月1日 10:00：免打扰时段，到 12月1日 10:00 为止",
    ),
    (
        "deferred",
        {"content": "promo", "reason": "quiet_hours", "until": TEN, "values": {"until": TEN, "journey": "spring"}},
        "no",
        "promo 推迟到 12月1日 10:00：旅程 spring 的免打扰时段，到 12月1日 10:00 为止",
    ),
    (
        "deferred",
        {"content": "promo", "reason": "day_off", "until": TEN, "values": {"until": TEN, "journey": "spring"}},
        "no",
        "promo 推迟到 12月1日 10:00：今天不是工作日，旅程 spring 只在工作日打扰客户，等到 12月1日 10:00",
    ),
    (
        "send.refused",
        {"effect": "X", "content": "@advisor", "reason": "count"},
        "no",
        "同事写给客户的话 没有发出去：平台说可回复的条数已用完",
    ),
    (
        "send.unknown",
        {"effect": "X", "content": "welcome", "reason": "no_verdict"},
        "no",
        "welcome 不知道是否送达：请求发出后没有等到平台的答复；旅程按已发送继续",
    ),
    (
        "send.expired",
        {"effect": "X", "content": "welcome", "reason": "expired"},
        "no",
        "welcome 没有发出：过了最晚发送时间",
    ),
]


def trace(kind: str, detail: dict[str, Json]) -> Trace:
    return Trace(kind=kind, journey="oa-welcome", enrolment_id=EnrolmentId("E1"), state="phone", detail=detail)


@pytest.mark.parametrize(("kind", "detail", "tone", "text"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)])
def test_a_trace_reads_as_pinned(kind: str, detail: dict[str, Json], tone: str, text: str) -> None:
    line = sentence(trace(kind, detail))
    assert (line.text, line.tone, line.kind) == (text, tone, kind)


def test_every_kind_with_words_is_pinned_here() -> None:
    assert worded() - {kind for kind, *_ in CASES} == set()


def test_an_unknown_kind_is_shown_word_for_word_and_without_telephone_numbers() -> None:
    line = sentence(trace("gift", {"code": "VIP", "to": "+86 138-0013-8000", "left": 3}))
    assert line.text == "gift：code = 'VIP'，to = '+86 138****8000'，left = 3"


def test_a_line_carries_what_programs_branch_on() -> None:
    found = sentence(trace("not_sent", {"content": "promo", "reason": "cap", "effect": "EFFECT"}))
    assert found == Line(
        kind="not_sent",
        text="没有发送 promo：频控次数已满",
        tone="no",
        journey="oa-welcome",
        state="phone",
        effect="EFFECT",
        content="promo",
        outcome="cap",
    )


def test_what_an_interrupt_does_is_not_taken_for_the_id_of_an_effect() -> None:
    assert sentence(trace("interrupt", {"interrupt": "opt_out", "effect": "end_all"})).effect == ""


def test_moments_are_told_in_the_brands_zone() -> None:
    timer = trace("timer", {"owner": "E1", "timer": "wait", "due_at": TEN})
    assert sentence(timer, Wall(zone=ZoneInfo("Europe/Berlin"))).text == "等待时间到（定于 12月1日 03:00）"


def test_another_year_is_said() -> None:
    wall = Wall(near=datetime(2027, 1, 2, tzinfo=UTC))
    assert wall.moment(datetime(2026, 12, 31, 15, 59, tzinfo=UTC)) == "2026年12月31日 23:59"
    assert wall.moment(datetime(2026, 12, 31, 16, 1, tzinfo=UTC)) == "1月1日 00:01"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13800138000", "138****8000"),
        ("打 138 0013 8000 找我", "打 138****8000 找我"),
        ("１３８００１３８０００", "138****8000"),
        ("8613800138000", "86138****8000"),
        ("x13800138000", "x13800138000"),
        ("订单 202611138001380001", "订单 202611138001380001"),
        ("23800138000", "23800138000"),
    ],
)
def test_mobile_numbers_are_masked_and_other_numbers_are_not(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_long_value_is_cut_and_stands_on_one_line() -> None:
    assert shortened("a\nb\tc\x1b[31m") == "a b c [31m"
    assert shortened("长" * 61) == "长" * 59 + "…"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(604800, "7天"), (172800, "2天"), (5400, "90分钟"), (7200, "2小时"), (61, "61秒"), (0, "0秒")],
)
def test_durations_are_told_in_their_largest_whole_unit(seconds: int, text: str) -> None:
    assert span(seconds) == text


VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**6) | st.floats(-1e6, 1e6) | st.text(max_size=8) | st.just(TEN),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
KEYS = sorted({key for _, detail, *_ in CASES for key in detail})
INNER = sorted({key for _, detail, *_ in CASES if isinstance(v := detail.get("values"), dict) for key in v})
DETAILS = st.dictionaries(
    st.sampled_from(KEYS), VALUES | st.dictionaries(st.sampled_from(INNER), VALUES, max_size=4), max_size=6
)


@given(kind=st.sampled_from(sorted(worded())) | st.text(min_size=1, max_size=6), detail=DETAILS)
def test_whatever_a_trace_holds_it_becomes_one_line_of_text(kind: str, detail: dict[str, Json]) -> None:
    line = sentence(trace(kind, detail))
    assert line.text
    assert line.kind == kind
