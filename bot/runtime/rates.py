"""Limits whose excess the platforms drop without a word (delivery.md 3.9, wechat-api.md 7)."""

from datetime import timedelta

from bot.core.effects import SendMessage
from bot.core.messages import TemplateMessage
from bot.storage import Limit, Rate

MEMBER_MINUTE = Rate(limit=30, per=timedelta(minutes=1), slices=6)
MEMBER_HOUR = Rate(limit=1_000, per=timedelta(hours=1), slices=12)
TEMPLATES_DAY = Rate(limit=100_000, per=timedelta(days=1), slices=1)
"""What an account without a larger grant may send; the platform's day begins at midnight in Beijing."""


def limits_of(effect: SendMessage) -> tuple[Limit, ...]:
    """What this message counts against; empty: nothing that is dropped silently."""
    if effect.channel == "app":
        member = f"app:{effect.account}:{effect.to}"
        return (f"{member}:minute", MEMBER_MINUTE), (f"{member}:hour", MEMBER_HOUR)
    if isinstance(effect.message, TemplateMessage):
        return ((f"{effect.channel}:{effect.account}:templates", TEMPLATES_DAY),)
    return ()
