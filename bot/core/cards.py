"""The cards and notes that advisors see. Fixed texts: they are the product's, not a marketer's."""

from bot.core.cutting import cut_characters
from bot.core.ids import EffectId
from bot.core.messages import Card, CardButton

ACCEPT = CardButton(key="accept", text="接受", style=1)
BUSY = CardButton(key="busy", text="忙，转同事", style=2)
OPEN = CardButton(key="open", text="打开会话", style=1)
CLOSE = CardButton(key="close", text="结束会话", style=2)
DONE = CardButton(key="done", text="已完成", style=3)

TITLE_MAX = 36
DESCRIPTION_MAX = 44
VALUE_MAX = 30
ROWS_MAX = 6


def offer(
    task_id: EffectId, title: str, kind: str, rows: tuple[tuple[str, str], ...], *, response_code: str = ""
) -> Card:
    """The card that offers a task or a waiting customer: accept, or too busy."""
    waiting = "客户正在等待，请尽快接入" if kind == "handoff" else "接受后即可与客户对话"
    return Card(
        task_id=task_id,
        title=cut_characters(title, TITLE_MAX),
        description=cut_characters(waiting, DESCRIPTION_MAX),
        rows=tuple((key, cut_characters(value, VALUE_MAX)) for key, value in rows[:ROWS_MAX]),
        buttons=(ACCEPT, BUSY),
        response_code=response_code,
    )


def accepted(
    task_id: EffectId, title: str, rows: tuple[tuple[str, str], ...], *, response_code: str, is_open: bool
) -> Card:
    """The card after she accepted; `is_open`: she follows this customer, and can come back to her from another."""
    return Card(
        task_id=task_id,
        title=cut_characters(title, TITLE_MAX),
        description="会话进行中。您发的话发给最后打开的会话，点“打开会话”切换到此客户"
        if is_open
        else "会话未打开，点“打开会话”继续",
        rows=tuple((key, cut_characters(value, VALUE_MAX)) for key, value in rows[:ROWS_MAX]),
        buttons=(OPEN, CLOSE, DONE) if is_open else (OPEN, DONE),
        response_code=response_code,
    )


def closed(task_id: EffectId, done: str, *, response_code: str) -> Card:
    """The card with its buttons replaced by `done`."""
    return Card(task_id=task_id, title="", description="", done=done, response_code=response_code)


HOLD_OVER = "与 {name} 的会话已自动结束：{minutes} 分钟没有您的发言。"
NOW_WITH = "您现在和 {name} 对话，您发的话会直接发给 {name}"
SENT_TO = "您刚才的话发给了 {name}"
FORWARDED = "{name}：{words}"
FORWARDED_UNOPENED = (
    "{name}（未打开会话）：{words}\n回复前请先在 {name} 的任务卡片上点“打开会话”，否则您的话不会发给 {name}。"
)
FORWARDED_WAITING = "{name}（等待接入）：{words}\n接受任务卡片后即可回复。"
NOT_DELIVERED = "没有送达 {name}：{why}"
NO_CONVERSATION = "与这位客户的会话已结束，消息没有发出。请在任务卡片上点“打开会话”。"
OVERDUE = "超时未完成：{title}（负责人 {name}）"
TAKEN_OVER = "{name} 的会话已由 {colleague} 接手。"
NOBODY_ELSE = "没有其他同事可以接手，请您跟进：{title}"
BACK_TO_BOT = "{name} 已回到自助服务，会话结束。"
CUSTOMER_GONE = "{name} 已取消关注，会话结束。"

WHY = {
    "window_closed": "超过平台允许的 48 小时回复时段，需等客户再次来信",
    "window_used": "平台允许的条数已用完，需等客户再次来信",
    "window": "超过平台允许的 48 小时回复时段，需等客户再次来信",
    "count": "平台允许的条数已用完，需等客户再次来信",
    "gone": "客户已取消关注",
    "unreachable": "客户已取消关注",
    "refused_by_user": "客户拒收消息",
    "opted_out": "客户已退订",
    "expired": "超过最晚发送时间，没有发出",
}


def why_not(reason: str) -> str:
    """A colleague's words for why a message did not go."""
    return WHY.get(reason, f"平台未接受（{reason}）")
