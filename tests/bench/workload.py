"""What the buyers of a benchmark do, and what must stand in the database for it: numbers read off the journey.

Every buyer follows one of a few scripts. After each event of a script stand the rows that the journey `oa-welcome`
owes for it; a test compares these numbers with the product under a clock that does not move.
"""

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

APP_ID = "wxbench0000000001"
TOKEN = "benchToken1"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
GH_ID = "gh_bench"
PATH = "/callback/oa/main"
MESSAGE_ID_FROM = 24_000_000_000_000_000
FOLLOW = ""
"""The event of a script that is no text."""


@dataclass(frozen=True, kw_only=True)
class Owed:
    """Rows of one buyer: written in the outbox so far, and timers that wait (there is one row for all of hers)."""

    outbox: int
    timers: int


@dataclass(frozen=True, kw_only=True)
class Script:
    """What one kind of buyer does. `lines`: texts, FOLLOW first; `owed[n]`: after `n` of them. `share`: in ten."""

    name: str
    lines: tuple[str, ...]
    owed: tuple[Owed, ...]
    share: int


NOTHING = Owed(outbox=0, timers=0)
GREETED = Owed(outbox=2, timers=1)  # the welcome and the first question, which has a time limit

SCRIPTS = (
    Script(
        name="routes",
        lines=(FOLLOW, "看车", "王女士", "同意"),
        owed=(NOTHING, GREETED, Owed(outbox=3, timers=1), Owed(outbox=4, timers=1), Owed(outbox=5, timers=1)),
        share=4,
    ),
    Script(
        name="free text and a phone number",
        lines=(FOLLOW, "这款车现在有优惠吗，周末能不能去店里看看", "13812345678"),
        owed=(NOTHING, GREETED, Owed(outbox=3, timers=1), Owed(outbox=4, timers=1)),
        share=4,
    ),
    Script(name="only follows", lines=(FOLLOW,), owed=(NOTHING, GREETED), share=2),
)
_DEALT = tuple(script for script in SCRIPTS for _ in range(script.share))

ENTERS = Script(
    name="enters by keyword",
    lines=("报价",),
    owed=(NOTHING, GREETED),
    share=1,
)
"""Fills an outbox: what is sent here answers a text, so it may leave within 48 hours."""


def script_of(buyer: int, *, only: Script | None = None) -> Script:
    """The script of a buyer, by the buyer's number."""
    return only or _DEALT[buyer % len(_DEALT)]


def openid(buyer: int) -> str:
    """28 characters, as the platform gives them."""
    return f"oBench{buyer:022d}"


@dataclass(frozen=True, kw_only=True)
class Act:
    """One event of one buyer: the `place`-th line of the buyer's script."""

    buyer: int
    place: int


def acts(buyers: Sequence[int], *, gap: int, only: Script | None = None) -> Iterator[Act]:
    """The events of these buyers in an even mix: a buyer's next one comes `gap` buyers later."""
    longest = max(len(script.lines) for script in ((only,) if only else SCRIPTS))
    for turn in range(len(buyers) + gap * longest):
        for place in range(longest):
            number = turn - place * gap
            if 0 <= number < len(buyers) and place < len(script_of(buyers[number], only=only).lines):
                yield Act(buyer=buyers[number], place=place)


def message(act: Act, *, at: int, only: Script | None = None) -> bytes:
    """The push in the clear, as the platform writes it. `at`: seconds since 1970."""
    text = script_of(act.buyer, only=only).lines[act.place]
    head = (
        f"<xml><ToUserName><![CDATA[{GH_ID}]]></ToUserName>"
        f"<FromUserName><![CDATA[{openid(act.buyer)}]]></FromUserName><CreateTime>{at}</CreateTime>"
    )
    if text == FOLLOW:
        event = "<Event><![CDATA[subscribe]]></Event><EventKey><![CDATA[]]></EventKey>"
        return f"{head}<MsgType><![CDATA[event]]></MsgType>{event}</xml>".encode()
    message_id = MESSAGE_ID_FROM + act.buyer * 10 + act.place
    body = f"<Content><![CDATA[{text}]]></Content><MsgId>{message_id}</MsgId>"
    return f"{head}<MsgType><![CDATA[text]]></MsgType>{body}</xml>".encode()


def sha1(*parts: str) -> str:
    """The platform's signature over these parts."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def sealed(plain: bytes) -> str:
    """The platform's encryption: AES-256-CBC, padded to 32 bytes, in base64."""
    key = base64.b64decode(AES_KEY + "=")
    content = os.urandom(16) + len(plain).to_bytes(4, "big") + plain + APP_ID.encode()
    pad = 32 - len(content) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(content + bytes([pad]) * pad) + encryptor.finalize()).decode()


def request(plain: bytes, *, at: int, nonce: str) -> bytes:
    """A whole signed request, ready to be written to a connection that stays open."""
    secret, timestamp = sealed(plain), str(at)
    query = (
        f"signature={sha1(TOKEN, timestamp, nonce)}&timestamp={timestamp}&nonce={nonce}&openid=o"
        f"&encrypt_type=aes&msg_signature={sha1(TOKEN, timestamp, nonce, secret)}"
    )
    body = f"<xml><ToUserName><![CDATA[{GH_ID}]]></ToUserName><Encrypt><![CDATA[{secret}]]></Encrypt></xml>".encode()
    return post(f"{PATH}?{query}", body)


def post(target: str, body: bytes) -> bytes:
    """The bytes of a POST as the platforms send it."""
    head = (
        f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nPragma: no-cache\r\n"
        f"User-Agent: Mozilla/4.0\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
