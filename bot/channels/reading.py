"""From the plaintext of a callback to a plain tree, and from the tree to the event's identity.

XML and JSON pushes become the same tree, so that the same fact has the same identity either way.
Source: delivery.md 1.3 and 1.4, wechat-api.md 1.1.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, TypeAlias
from xml.parsers.expat import ExpatError

import xmltodict

from bot.core.ids import EventId
from bot.errors import Unreadable

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
Tree: TypeAlias = dict[str, Node]

NESTING_MAX = 12
"""Deepest nesting that is read; the platforms' own payloads stay below 6. Deeper is quarantined."""
EXTERNAL_ID_LENGTH_MAX = 256
_MOMENT = re.compile(r"[1-9][0-9]{0,9}")
_PROLOG = re.compile(r"(?:<\?xml\s[^<>]*\?>\s*)?<xml[\s>/]")
"""A document type can stand only before the root element: where this matches, there is none, and so no entity."""
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_STAND_IN = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a push came in: the account, the identity and the bytes of what was sent."""

    account: str
    identity: EventId
    body: bytes


def read(body: bytes) -> tuple[Tree, bool]:
    """The fields of a callback, and whether characters in it had to be replaced.

    Numbers become their text, absent values the empty text, repeated XML elements a list; lists keep
    their order. NUL, control characters and lone surrogates become U+FFFD. Unreadable otherwise.
    """
    try:
        text = body.decode("utf-8", "surrogatepass").lstrip("\ufeff \t\r\n")
    except UnicodeDecodeError:
        raise Unreadable("the message is not UTF-8", body=body) from None
    fit = _UNFIT.sub(_STAND_IN, text)
    repairs = [fit != text]
    match fit[:1]:
        case "<":
            parsed = _parse_xml(fit, body)
        case "{":
            parsed = _parse_json(fit, body)
        case _:
            raise Unreadable("the message is neither XML nor JSON", body=body)
    tree = _plain(parsed, repairs=repairs, body=body, depth=0)
    if not isinstance(tree, dict):
        raise Unreadable("the message has no fields", body=body)
    return tree, any(repairs)


def text_of(tree: Tree, key: str) -> str:
    """The text under `key`; empty when it is absent or no text."""
    value = tree.get(key, "")
    return value if isinstance(value, str) else ""


def entries(tree: Tree, key: str) -> list[Tree]:
    """The trees of the element `key`, whether it came not at all, once or many times."""
    node = tree.get(key)
    nodes = node if isinstance(node, list) else [node]
    return [entry for entry in nodes if isinstance(entry, dict)]


def required(tree: Tree, key: str, body: bytes) -> str:
    """The text under `key`, at most 256 characters long. Unreadable when it is empty or longer."""
    value = text_of(tree, key)
    if not value or len(value) > EXTERNAL_ID_LENGTH_MAX:
        raise Unreadable(f"`{key}` is missing or too long", body=body)
    return value


def created_at(tree: Tree, body: bytes) -> datetime:
    """The platform's time of the fact (`CreateTime`, whole seconds), aware UTC."""
    seconds = text_of(tree, "CreateTime")
    if not _MOMENT.fullmatch(seconds):
        raise Unreadable("`CreateTime` is no moment", body=body)
    return datetime.fromtimestamp(int(seconds), UTC)


def event_id(platform: str, owner: str, tree: Tree) -> EventId:
    """Identity of the fact in `tree`; `owner` is the app id or corp id. Source: delivery.md 1.3."""
    message_id = text_of(tree, "MsgId") if text_of(tree, "MsgType").lower() != "event" else ""
    key = message_id or _canonical(tree)
    return EventId(hashlib.sha256(f"{platform}|{owner}|{key}".encode()).hexdigest())


def _canonical(tree: Tree) -> str:
    return json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _parse_xml(text: str, body: bytes) -> object:
    if not _PROLOG.match(text):
        raise Unreadable("the XML does not begin with <xml>; document types are refused", body=body)
    try:
        # Not wechatpy's parse_message, which uses this very parser: it rewrites Event and EventKey in
        # place, and the identity of an event is computed over what was sent.
        document = xmltodict.parse(text, disable_entities=True)
    except (ExpatError, ValueError):
        raise Unreadable("the XML is not well-formed", body=body) from None
    root: object = document.get("xml")
    return root


def _parse_json(text: str, body: bytes) -> object:
    try:
        parsed: object = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable("the JSON is not well-formed", body=body) from None
    return parsed


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _plain(value: object, *, repairs: list[bool], body: bytes, depth: int) -> Node:
    if depth > NESTING_MAX:
        raise Unreadable("the message is nested too deeply", body=body)
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            fit = _UNFIT.sub(_STAND_IN, value)
            repairs.append(fit != value)
            return fit
        case list():
            return [_plain(one, repairs=repairs, body=body, depth=depth + 1) for one in value]
        case dict():
            return {
                _UNFIT.sub(_STAND_IN, str(key)): _plain(one, repairs=repairs, body=body, depth=depth + 1)
                for key, one in value.items()
            }
        case _:
            return str(value)
