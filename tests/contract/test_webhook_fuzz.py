"""No bytes make a callback raise anything but the three errors of callbacks that do not become events."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.app.codec import AppCallbacks
from bot.channels.oa.codec import OaCallbacks
from bot.errors import Unreadable, Unsupported, Untrusted
from bot.runtime.ports import Callbacks, Query

from .posting import NOW, Push, app_callbacks, fixture, oa_callbacks, oa_plain, oa_safe, wecom

FUZZ = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
"""Hypothesis builds its table of characters within the first example, which takes seconds on a cold start."""
SAFE: OaCallbacks = oa_callbacks()
APP: AppCallbacks = app_callbacks()

_NAMES = ["MsgType", "Event", "EventKey", "FromUserName", "CreateTime", "MsgId", "List", "TaskId", "AgentID", "Content"]
_WORDS = ["text", "image", "event", "subscribe", "CLICK", "subscribe_msg_popup_event", "template_card_event"]
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*_WORDS, "1760000000"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=3),
    max_leaves=8,
)
_TREES = st.dictionaries(st.sampled_from([*_NAMES, "SubscribeMsgPopupEvent", "bizmsgmenuid"]), _VALUES)
_SAMPLES = [fixture("oa_text.xml"), fixture("oa_event_sub_popup.xml"), fixture("wecom_template_card_event.xml")]


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    sample = bytearray(draw(st.sampled_from(_SAMPLES)))
    for _ in range(draw(st.integers(1, 6))):
        sample[draw(st.integers(0, len(sample) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, len(sample)))
    return bytes(sample[:cut] + draw(st.binary(max_size=8)) + sample[cut:])


_MESSAGES = st.binary() | _damaged() | _TREES.map(lambda tree: json.dumps(tree).encode())


def _survives(callbacks: Callbacks, query: Query, body: bytes) -> None:
    try:
        events = callbacks.decode(query, body, NOW)
    except (Untrusted, Unreadable, Unsupported):
        return
    assert events
    for event in events:
        json.dumps([dict(event.fields), event.sender, event.event_id], ensure_ascii=False).encode()


def _query(push: Push) -> Query:
    return Query(**push.query)


@FUZZ
@given(_MESSAGES)
def test_no_signed_message_of_an_official_account_surprises_the_codec(message: bytes) -> None:
    push = oa_safe(message)
    _survives(SAFE, _query(push), push.body)


@FUZZ
@given(_MESSAGES)
def test_no_plain_message_surprises_the_codec(message: bytes) -> None:
    push = oa_plain(message)
    _survives(oa_callbacks(mode="plain", aes_keys=()), _query(push), push.body)


@FUZZ
@given(_MESSAGES)
def test_no_signed_message_of_wecom_surprises_the_codec(message: bytes) -> None:
    push = wecom(message)
    _survives(APP, _query(push), push.body)


@FUZZ
@given(st.from_regex(r"[A-Za-z0-9+/]{0,200}={0,3}", fullmatch=True))
def test_no_signed_ciphertext_surprises_the_codec(sealed: str) -> None:
    push = oa_safe(b"", sealed=sealed)
    _survives(SAFE, _query(push), push.body)


@FUZZ
@given(st.binary(), *[st.text() for _ in range(5)])
def test_no_query_surprises_the_codec(
    body: bytes, signature: str, msg_signature: str, timestamp: str, nonce: str, echostr: str
) -> None:
    query = Query(
        signature=signature,
        msg_signature=msg_signature,
        timestamp=timestamp,
        nonce=nonce,
        encrypt_type="aes",
        echostr=echostr,
    )
    for callbacks in (SAFE, APP):
        _survives(callbacks, query, body)
        try:
            callbacks.verify(query, NOW)
        except Untrusted:
            continue
        raise AssertionError("an unsigned check was answered")
