"""An act that is told late takes nothing back that a newer one has opened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core import windows
from bot.core.customer import Conversation
from bot.core.ids import ConversationId, EventId
from bot.core.rules import GlobalRules, WindowRule

NOON = datetime(2026, 12, 1, 4, tzinfo=UTC)
RULES = GlobalRules(
    timezone="Asia/Shanghai",
    quiet=None,
    human_hold=timedelta(minutes=30),
    working_hours={},
    caps=(),
    class_rules={},
    windows={"oa": {"message": WindowRule(max=5, duration=timedelta(hours=48))}},
)


def wrote(conversation: Conversation, name: str, at: datetime) -> Conversation:
    buckets = windows.opened(conversation, "message", event_id=EventId(name), at=at, rules=RULES)
    return replace(conversation, buckets=buckets)


def test_a_message_that_comes_late_does_not_rewind_the_window() -> None:
    blank = Conversation(conversation_id=ConversationId("oa:main:oA"), channel="oa", account="main", external_id="oA")
    newer = windows.reserved(wrote(blank, "new", NOON), EventId("new"), at=NOON)
    late = wrote(newer, "old", NOON - timedelta(minutes=5))
    assert [(b.bucket_id, b.opened_at, b.used) for b in late.buckets] == [("new", NOON, 1)]
