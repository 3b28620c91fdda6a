"""What a WeCom application's push means: from its fields to our events. Source: wechat-api.md 4.3 and 4.5."""

from bot.channels.reading import Origin, Tree, created_at, required, text_of
from bot.core.events import Event, Json
from bot.errors import Unsupported, Untrusted

_IGNORED_MESSAGES = frozenset({"image", "voice", "video", "location", "link"})
_IGNORED_EVENTS = frozenset(
    {
        "subscribe",
        "unsubscribe",
        "enter_agent",
        "location",
        "batch_job_result",
        "change_contact",
        "click",
        "view",
        "view_miniprogram",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
        "open_approval_change",
        "sys_approval_change",
        "taskcard_click",
        "template_card_menu_event",  # cards of ours have no menu
        "share_agent_change",
        "share_chain_change",
        "change_external_contact",
        "change_external_chat",
        "change_external_tag",
        "customer_acquisition",
        "kf_msg_or_event",
        "kf_account_auth_change",
        "msgaudit_notify",
        "upload_media_job_finish",
        "close_inactive_agent",
        "reopen_inactive_agent",
        "living_status_change",
    }
)


def event_of(tree: Tree, origin: Origin, *, agent_id: str, repaired: bool) -> Event:
    """The event in a push. Advisors are waiting for what they tapped or wrote: all of it is urgent.

    Untrusted: it names another application. Unsupported: it does not concern us. Unreadable: a field that
    we need is missing.
    """
    if text_of(tree, "AgentID") not in ("", agent_id):
        raise Untrusted("the message is addressed to another application")
    type_, fields = _fact(tree, origin.body)
    return Event(
        event_id=origin.identity,
        type=type_,
        channel="app",
        account=origin.account,
        sender=required(tree, "FromUserName", origin.body),
        occurred_at=created_at(tree, origin.body),
        fields=fields | {"repaired": True} if repaired else fields,
        urgent=True,
    )


def _fact(tree: Tree, body: bytes) -> tuple[str, dict[str, Json]]:
    kind = required(tree, "MsgType", body).lower()
    if kind == "text":
        return "advisor.said", {"text": text_of(tree, "Content")}
    if kind != "event":
        raise Unsupported(f"app.message.{kind if kind in _IGNORED_MESSAGES else 'other'}")
    name = text_of(tree, "Event").lower()
    if name != "template_card_event":
        raise Unsupported(f"app.event.{name if name in _IGNORED_EVENTS else 'other'}")
    return "card.clicked", {
        "key": required(tree, "EventKey", body),
        "task_id": required(tree, "TaskId", body),
        "response_code": text_of(tree, "ResponseCode"),
    }
