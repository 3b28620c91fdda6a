"""The platforms' side of a callback, written independently of the product: seal, sign, post."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.channels.app.codec import AppCallbacks
from bot.channels.oa.codec import Mode, OaCallbacks
from bot.core.events import Event, Json
from bot.errors import StorageError
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Callbacks
from bot.web.body import LIMITS, Limits
from bot.web.server import admin, build, listening
from bot.web.webhook import Webhook

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wechat"
NOW = datetime.fromtimestamp(1760000010, UTC)
TOKEN = "demoToken123"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OTHER_AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
APP_ID = "wx00demo0000000001"
CORP_ID = "wwdemocorp0000001"
AGENT_ID = 1000002


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def vectors() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = json.loads(fixture("crypto_vectors.json"))
    return found


def sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def seal(message: bytes, *, receive_id: str, aes_key: str = AES_KEY, random16: bytes = b"0123456789abcdef") -> str:
    key = base64.b64decode(aes_key + "=")
    content = random16 + len(message).to_bytes(4, "big") + message + receive_id.encode()
    pad = 32 - len(content) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(content + bytes([pad]) * pad) + encryptor.finalize()).decode()


@dataclass(frozen=True, kw_only=True)
class Push:
    """One request of a platform."""

    path: str
    query: Mapping[str, str]
    body: bytes


def oa_plain(body: bytes, *, timestamp: str = "1760000005", nonce: str = "n1") -> Push:
    query = {"signature": sha1(TOKEN, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    return Push(path="/callback/oa/plain", query=query, body=body)


def oa_safe(
    message: bytes,
    *,
    timestamp: str = "1760000005",
    nonce: str = "n1",
    sealed: str | None = None,
    json_form: bool = False,
) -> Push:
    secret = sealed if sealed is not None else seal(message, receive_id=APP_ID)
    query = {
        "signature": sha1(TOKEN, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": sha1(TOKEN, timestamp, nonce, secret),
    }
    envelope = f"<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[{secret}]]></Encrypt></xml>"
    if json_form:
        envelope = json.dumps({"ToUserName": "gh", "Encrypt": secret}).replace("/", "\\/")
    return Push(path="/callback/oa/main", query=query, body=envelope.encode())


def wecom(message: bytes, *, timestamp: str = "1760000005", nonce: str = "n1", sealed: str | None = None) -> Push:
    secret = sealed if sealed is not None else seal(message, receive_id=CORP_ID)
    query = {"timestamp": timestamp, "nonce": nonce, "msg_signature": sha1(TOKEN, timestamp, nonce, secret)}
    body = fixture("wecom_outer_envelope.xml").replace(b"BASE64", secret.encode())
    return Push(path="/callback/wecom/main", query=query, body=body)


@dataclass(kw_only=True)
class StillClock:
    """A clock that a test turns by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass(kw_only=True)
class KeptLanes:
    """Keeps what it is given, each event once, as the inbox does."""

    events: dict[str, Event] = field(default_factory=dict)
    quarantined: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    lost: list[tuple[str, str, str]] = field(default_factory=list)
    broken: bool = False
    clock_trouble: str = ""

    async def accept(self, events: Sequence[Event]) -> None:
        self._check()
        for event in events:
            self.events.setdefault(event.event_id, event)

    async def quarantine(self, *, channel: str, account: str, body: bytes, why: str) -> None:
        self._check()
        self.quarantined.append((channel, account, body, why))

    def turned_away(self, channel: str, account: str, *, reason: str) -> None:
        self.lost.append((channel, account, reason))

    def _check(self) -> None:
        if self.broken:
            raise StorageError("the disk is full")

    @property
    def only(self) -> Event:
        (event,) = self.events.values()
        return event


@dataclass(kw_only=True)
class Told:
    """Health as a test wishes it."""

    accepts: bool = True
    down: dict[str, str] = field(default_factory=dict)

    def accepting(self) -> bool:
        return self.accepts

    def degraded(self) -> Mapping[str, str]:
        return self.down

    async def waiting(self) -> Mapping[str, Json]:
        return {"parked": 0}


@dataclass(frozen=True, kw_only=True)
class House:
    """The product's server with everything behind it that a test wants to look at."""

    lanes: KeptLanes
    health: Told
    clock: StillClock
    metrics: Metrics
    port: int
    admin_port: int
    http: aiohttp.ClientSession

    async def post(self, push: Push) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.port}{push.path}"
        async with self.http.post(url, params=push.query, data=push.body) as response:
            return response.status, await response.text()

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, port: int = 0) -> tuple[int, str]:
        url = f"http://127.0.0.1:{port or self.port}{path}"
        async with self.http.get(url, params=query or {}) as response:
            return response.status, await response.text()

    def counted(self, outcome: str, *, channel: str = "oa", account: str = "main") -> float:
        return self.metrics.value("zhitu_callbacks_total", channel=channel, account=account, outcome=outcome)


def oa_callbacks(*, account: str = "main", mode: Mode = "safe", aes_keys: tuple[str, ...] = (AES_KEY,)) -> OaCallbacks:
    return OaCallbacks(account=account, app_id=APP_ID, token=TOKEN, aes_keys=aes_keys, mode=mode)


def app_callbacks(*, aes_keys: tuple[str, ...] = (AES_KEY,)) -> AppCallbacks:
    return AppCallbacks(account="main", corp_id=CORP_ID, agent_id=AGENT_ID, token=TOKEN, aes_keys=aes_keys)


@asynccontextmanager
async def house(*, aes_keys: tuple[str, ...] = (AES_KEY,), limits: Limits = LIMITS) -> AsyncIterator[House]:
    """Accounts: `oa/main` safe, `oa/mixed` compatible, `oa/plain` plain, `wecom/main`."""
    lanes, health, clock, metrics = KeptLanes(), Told(), StillClock(), Metrics()
    callbacks: dict[tuple[str, str], Callbacks] = {
        ("oa", "main"): oa_callbacks(aes_keys=aes_keys),
        ("oa", "mixed"): oa_callbacks(account="mixed", mode="compatible"),
        ("oa", "plain"): oa_callbacks(account="plain", mode="plain", aes_keys=()),
        ("app", "main"): app_callbacks(aes_keys=aes_keys),
    }
    webhook = Webhook(accounts=callbacks, lanes=lanes, clock=clock, metrics=metrics, limits=limits)
    served = build(webhook, health)
    async with (
        listening(served, host="127.0.0.1", port=0) as port,
        listening(admin(health=health, metrics=metrics), host="127.0.0.1", port=0) as admin_port,
        aiohttp.ClientSession() as http,
    ):
        yield House(
            lanes=lanes, health=health, clock=clock, metrics=metrics, port=port, admin_port=admin_port, http=http
        )
