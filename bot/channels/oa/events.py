"""What an official account's push means: from its fields to our events. Source: wechat-api.md 1.4 and 1.5."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.channels.reading import Origin, Tree, created_at, entries, required, text_of
from bot.core.events import Event, Json
from bot.core.ids import EventId
from bot.errors import Unreadable, Unsupported

LIST_ENTRIES_MAX = 100
"""Entries of one list push; more is quarantined. The platform shows at most a handful of templates at once."""

_QR_PREFIX = "qrscene_"
_LIST_EVENTS = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}
# The official sample of the change event carries the pop-up's element.
_LIST_ELEMENTS = frozenset(_LIST_EVENTS.values())

_IGNORED_MESSAGES = frozenset({"file", "miniprogrampage"})
_IGNORED_EVENTS = frozenset(
    {
        "location",  # where somebody is all day long is sensitive, and no journey has a use for it
        "view_miniprogram",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
        "masssendjobfinish",
        "user_info_modified",
        "user_authorization_revoke",
        "user_authorization_cancellation",
        "kf_create_session",
        "kf_close_session",
        "kf_switch_session",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    type: str
    fields: Mapping[str, Json] = field(default_factory=dict)
    urgent: bool = False


def level(tree: Tree) -> Tree:
    """The same push with its list at the top, where JSON has it and XML has not."""
    wrapped = next((name for name in _LIST_ELEMENTS if isinstance(tree.get(name), dict)), None)
    if wrapped is None:
        return tree
    inner = tree[wrapped]
    rest = {key: value for key, value in tree.items() if key != wrapped}
    return rest | inner if isinstance(inner, dict) else tree


def events_of(tree: Tree, origin: Origin, *, repaired: bool) -> tuple[Event, ...]:
    """The events in a levelled push: one, or for lists one an entry, named `identity#0`, `identity#1`.

    Unsupported: nothing in it concerns us. Unreadable: a field that we need is missing.
    """
    facts = _facts(tree, origin)  # first: what does not concern us may lack anything
    sender = required(tree, "FromUserName", origin.body)
    occurred_at = created_at(tree, origin.body)
    flag: dict[str, Json] = {"repaired": True} if repaired else {}
    return tuple(
        Event(
            event_id=identity,
            type=fact.type,
            channel="oa",
            account=origin.account,
            sender=sender,
            occurred_at=occurred_at,
            fields={**fact.fields, **flag},
            urgent=fact.urgent,
        )
        for identity, fact in facts
    )


def _facts(tree: Tree, origin: Origin) -> list[tuple[EventId, _Fact]]:
    kind = required(tree, "MsgType", origin.body).lower()
    if kind != "event":
        return [(origin.identity, _message(kind, tree, origin.body))]
    name = text_of(tree, "Event").lower()
    if name not in _LIST_EVENTS:
        return [(origin.identity, _event(name, tree, origin.body))]
    listed = enumerate(_listed(name, tree, origin.body))
    named = [(EventId(f"{origin.identity}#{n}"), fact) for n, fact in listed if fact is not None]
    if not named:
        raise Unsupported(f"oa.event.{name}")
    return named


def _message(kind: str, tree: Tree, body: bytes) -> _Fact:
    match kind:
        case "text":
            return _text(tree)
        case "image" | "voice" | "video" | "shortvideo":
            return _media("video" if kind == "shortvideo" else kind, tree, body)
        case "location":
            return _Fact(type="message", fields={"kind": kind, **_place(tree)})
        case "link":
            return _Fact(type="message", fields={"kind": kind})
        case _:
            raise Unsupported(f"oa.message.{kind if kind in _IGNORED_MESSAGES else 'other'}")


def _text(tree: Tree) -> _Fact:
    menu_id = text_of(tree, "bizmsgmenuid")
    text = text_of(tree, "Content")
    if menu_id:
        return _Fact(type="message", fields={"kind": "menu_tap", "text": text, "menu_id": menu_id}, urgent=True)
    return _Fact(type="message", fields={"kind": "text", "text": text})


def _media(kind: str, tree: Tree, body: bytes) -> _Fact:
    fields: dict[str, Json] = {"kind": kind, "media_id": required(tree, "MediaId", body)}
    heard = text_of(tree, "Recognition")
    return _Fact(type="message", fields=fields | {"text": heard} if heard else fields)


def _place(tree: Tree) -> dict[str, Json]:
    """`lat`, `lng` (GCJ-02 degrees) and `name`; nothing when they are no place on earth."""
    try:
        lat, lng = float(text_of(tree, "Location_X")), float(text_of(tree, "Location_Y"))
    except ValueError:
        return {}
    on_earth = abs(lat) <= 90 and abs(lng) <= 180
    return {"lat": lat, "lng": lng, "name": text_of(tree, "Label")} if on_earth else {}


def _event(name: str, tree: Tree, body: bytes) -> _Fact:
    key = text_of(tree, "EventKey")
    match name:
        case "subscribe":
            scene = key.removeprefix(_QR_PREFIX) if key.startswith(_QR_PREFIX) else ""
            return _Fact(type="oa.follow", fields={"scene": scene or None}, urgent=True)
        case "scan":
            return _Fact(type="oa.scan", fields={"scene": key or None}, urgent=True)
        case "unsubscribe":
            return _Fact(type="oa.unfollow")
        case "click":
            return _Fact(type="oa.click", fields={"key": key}, urgent=True)
        case "view":
            return _Fact(type="oa.view", fields={"url": key})
        case "templatesendjobfinish":
            return _template_finished(tree, body)
        case _:
            raise Unsupported(f"oa.event.{name if name in _IGNORED_EVENTS else 'other'}")


TemplateStatus = Literal["success", "user_block", "failed"]


def _template_finished(tree: Tree, body: bytes) -> _Fact:
    said = "".join(text_of(tree, "Status").lower().split())
    status: TemplateStatus
    match said:
        case "success":
            status = "success"
        case "failed:userblock":
            status = "user_block"
        case _:
            status = "failed"
    # The id of the job is spelt with a capital D, unlike that of a message.
    return _Fact(type="template.finished", fields={"provider_id": required(tree, "MsgID", body), "status": status})


def _listed(name: str, tree: Tree, body: bytes) -> list[_Fact | None]:
    found = entries(tree, "List")
    if not found or len(found) > LIST_ENTRIES_MAX:
        raise Unreadable(f"`List` of `{name}` has no entries, or too many", body=body)
    tell: Callable[[Tree, str], _Fact | None] = _delivered if name == "subscribe_msg_sent_event" else _decided
    return [tell(entry, required(entry, "TemplateId", body)) for entry in found]


def _decided(entry: Tree, template_id: str) -> _Fact | None:
    match text_of(entry, "SubscribeStatusString").lower():
        case "accept":
            return _Fact(type="subscription.granted", fields={"template_id": template_id})
        case "reject":
            return _Fact(type="subscription.rejected", fields={"template_id": template_id})
        case _:
            return None


def _delivered(entry: Tree, template_id: str) -> _Fact | None:
    """A subscription message that arrived; one that failed used no grant and is no event."""
    if text_of(entry, "ErrorCode") != "0":
        return None
    return _Fact(type="subscription.sent", fields={"template_id": template_id})
