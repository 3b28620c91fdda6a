"""What `why` says of a message in every state, for every reason there is: a sentence that names the rule."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from bot.core import departure, policy
from bot.core.effects import SendMessage
from bot.core.ids import ConversationId, CustomerId, EffectId
from bot.core.messages import Text
from bot.errors import UnreachableReason
from bot.runtime.why.line import Wall
from bot.runtime.why.outcomes import Hindrance, outcome
from bot.runtime.why.reasons import because, known
from bot.storage import OutboxLine, SendState

ID = EffectId("ABCDEFGHIJKLMNOPQRSTUVWX23")
NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai."""
STATES: tuple[SendState, ...] = get_args(SendState)
TEMPORARY = ("try_later", "unauthorised", "forbidden", "rate")
FATES = ("no_verdict", "lease over", "process ended", "operator", "left", "expired", "bug", "user_block", "failed")
REASONS = (
    "",
    "45047",
    *get_args(policy.Reason),
    *get_args(UnreachableReason),
    *sorted(departure.WITHHELD_FOR_GOOD),
    *TEMPORARY,
    *FATES,
)


def row(state: SendState, *, reason: str = "", waits: float = 0, attempts: int = 0, **more: object) -> OutboxLine:
    """A row of the outbox; `waits`: seconds until it may leave."""
    effect = SendMessage(
        effect_id=ID,
        conversation_id=ConversationId("oa:main:oAnna"),
        channel="oa",
        account="main",
        to="oAnna",
        message=Text(text="您好 13800138000"),
        content="hello",
        send_class="service",
        delivery="at_most_once",
        sequence=0,
        enrolment_id=None,
        journey="oa-welcome",
        state="greet",
        visit=1,
    )
    began = NOW - timedelta(minutes=1) if attempts else None
    ended = NOW if state not in ("ready", "leased", "sending") else None
    values: dict[str, object] = {
        "seq": 1,
        "customer_id": CustomerId(1),
        "effect": effect,
        "state": state,
        "planned_at": NOW - timedelta(minutes=2),
        "not_before": NOW + timedelta(seconds=waits),
        "expires_at": None,
        "attempts": attempts,
        "repeats": 0,
        "started_at": began,
        "epoch": 1 if attempts else None,
        "settled_at": ended,
        "provider_id": "",
        "response_code": "",
        "reason": reason,
        "vendor_code": None,
    }
    return OutboxLine(**(values | more))  # type: ignore[arg-type]  # each value has its field's type


def told(line: OutboxLine, hindrance: Hindrance = Hindrance()) -> str:  # noqa: B008 - a frozen value
    return outcome(line, now=NOW, wall=Wall(near=NOW), hindrance=hindrance).text


@pytest.mark.parametrize(("state", "reason"), list(itertools.product(STATES, sorted(set(REASONS)))))
def test_every_state_with_every_reason_is_a_sentence_in_chinese_that_names_its_rule(
    state: SendState, reason: str
) -> None:
    attempts = 1 if state in ("sending", "sent", "delivered", "refused", "unknown") else 0
    text = told(row(state, reason=reason, attempts=attempts))
    assert text.startswith("hello：")
    assert len(text) > len("hello：") + 3
    assert "13800138000" not in text
    if reason and not reason.isdigit():
        assert reason not in text.replace(" ", "")
    if state in ("refused", "suppressed", "unknown") and reason not in ("", "left"):
        assert because(reason, {}, Wall(near=NOW)) in text


@pytest.mark.parametrize("reason", [reason for reason in sorted(set(REASONS)) if reason and not reason.isdigit()])
def test_every_reason_has_words(reason: str) -> None:
    assert known(reason)


@pytest.mark.parametrize(
    ("line", "hindrance", "text"),
    [
        (
            row("ready", waits=3600),
            Hindrance(rule="免打扰时段，到 12月1日 11:00 为止"),
            "hello：等到 12月1日 11:00 再发（原定 12月1日 09:58，发送前复查时推迟）：免打扰时段，到 12月1日 11:00 为止",
        ),
        (row("ready"), Hindrance(ahead="welcome"), "hello：等待发送（同一会话里先发“welcome”）"),
        (
            row("ready"),
            Hindrance(trouble="访问凭证被拒绝，错误码 40001"),
            "hello：等待发送（这个账号暂停发送：访问凭证被拒绝，错误码 40001）",
        ),
        (row("ready"), Hindrance(parked=True), "hello：等待发送（客户的泳道停住了，等运营处理：zhitu retry lane）"),
        (row("ready"), Hindrance(), "hello：等待发送（前面还有消息，或通道暂时不通）"),
        (
            row("ready", reason="forbidden", waits=30, attempts=1, vendor_code=48001),
            Hindrance(),
            "hello：第 1 次平台没有收下（平台没有给这个权限，错误码 48001），12月1日 10:00 再试",
        ),
        (
            row("ready", reason="rate", waits=60, expires_at=NOW + timedelta(minutes=5)),
            Hindrance(),
            "hello：等到 12月1日 10:01 再发：平台限制每位成员的条数（每分钟和每小时），超出的会被平台悄悄丢掉，"
            "最迟 12月1日 10:05",
        ),
        (
            row("ready", reason="operator", attempts=1),
            Hindrance(ahead="a"),
            "hello：运营决定再发一次，等待发送（同一会话里先发“a”）",
        ),
        (row("ready", reason="no_verdict", attempts=1), Hindrance(), "hello：第 1 次不知道是否送达，马上再试"),
        (row("leased", attempts=1), Hindrance(), "hello：正要发送"),
        (row("sending", attempts=1), Hindrance(), "hello：正在发送，还没有答复（12月1日 09:59 开始）"),
        (
            row("unknown", reason="process ended", attempts=2),
            Hindrance(),
            "hello：不知道是否送达：请求发出时程序中断，没有收到平台的答复。为免重复打扰不再发，旅程按已发送继续；"
            f"共发了 2 次；可以再发一次（zhitu retry send {ID}），或不再发（zhitu retry leave {ID}）",
        ),
        (
            row("unknown", reason="opted_out", attempts=1),
            Hindrance(rule="客户已退订全部消息（12月1日 09:59起）"),
            "hello：不知道是否送达，没有再发：客户已退订全部消息（12月1日 09:59起）。旅程按已发送继续；"
            f"可以再发一次（zhitu retry send {ID}），或不再发（zhitu retry leave {ID}）",
        ),
        (
            row("unknown", reason="left", attempts=1),
            Hindrance(),
            "hello：不知道是否送达，运营决定不再发，旅程按已发送继续",
        ),
        (
            row("expired", reason="expired", expires_at=NOW - timedelta(minutes=1)),
            Hindrance(),
            "hello：没有发出：过了最晚发送时间 12月1日 09:59（12月1日 10:00）",
        ),
        (
            row("suppressed", reason="cap"),
            Hindrance(rule="频控“每天”已满：1天内 3 条，上限 3 条"),
            "hello：没有发出：频控“每天”已满：1天内 3 条，上限 3 条（12月1日 10:00）",
        ),
        (row("suppressed", reason="opted_out"), Hindrance(), "hello：没有发出：客户已退订（12月1日 10:00）"),
        (row("delivered", attempts=1), Hindrance(), "hello：已送达（12月1日 10:00）"),
    ],
)
def test_what_a_message_waits_for_or_became_is_told_with_its_values(
    line: OutboxLine, hindrance: Hindrance, text: str
) -> None:
    assert told(line, hindrance) == text
