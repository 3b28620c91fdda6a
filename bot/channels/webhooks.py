"""Asking other systems: one signed POST for each try, and what is known when no answer comes.

Whoever answers sees the same `Idempotency-Key` at every try of one errand and can do it once. No address, body or
answer ever enters an error or a log line: they hold personal data.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlsplit

import aiohttp

from bot.channels.outgoing import Outgoing, Progress
from bot.core.errands import CallWebhook
from bot.core.events import Json
from bot.core.ids import EffectId
from bot.core.step.limits import VARS_BYTES_MAX
from bot.runtime.ports import Answered, Unanswered

ANSWER_BYTES_MAX = VARS_BYTES_MAX
"""An enrolment can carry no more; a longer answer counts as unreadable."""
RETRY_AFTER_MAX_S = 3_600.0
DEPTH_MAX = 32
NUMBER_MAX = 2**53
"""What an answer may hold at most; one with more counts as unreadable."""
CONNECTIONS_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a webhook is. `key`: what we sign with. No repr shows it."""

    url: str
    key: str = field(repr=False)
    timeout_s: int


class Webhooks(Outgoing):
    """The configured targets, as a context: `async with Webhooks(targets) as caller`. A `Caller`."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        super().__init__(connections_max=CONNECTIONS_MAX, timeout=aiohttp.ClientTimeout())
        self._targets = targets

    @property
    def targets(self) -> frozenset[str]:
        """The webhooks that can be asked."""
        return frozenset(self._targets)

    async def call(self, request: CallWebhook, *, key: EffectId, at: datetime) -> Answered | Unanswered:
        """Ask once. Redirections are not followed: they are an answer, and none of ours."""
        target = self._targets[request.target]
        url = f"{target.url}/{quote(request.operation, safe='')}"
        body = encoded(request.body)
        progress = Progress()
        try:
            async with self.session.post(
                url,
                data=body,
                headers=headers(target, path=urlsplit(url).path, body=body, key=key, at=at),
                timeout=aiohttp.ClientTimeout(total=target.timeout_s),
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as response:
                return await _answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unanswered(why=type(error).__name__, may_be_taken=progress.left)


def encoded(body: Mapping[str, Json]) -> bytes:
    """The JSON that is sent, as UTF-8."""
    return json.dumps(dict(body), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def headers(target: Target, *, path: str, body: bytes, key: EffectId, at: datetime) -> dict[str, str]:
    """What a request carries beside its body. The signature covers method, path, time, key and body."""
    timestamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Idempotency-Key": key,
        "X-Zhitu-Timestamp": timestamp,
        "X-Zhitu-Signature": f"v1={signature(target.key, path=path, timestamp=timestamp, key=key, body=body)}",
    }


def signature(secret: str, *, path: str, timestamp: str, key: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over the lines `POST`, path, timestamp, Idempotency-Key, and then the body."""
    signed = "\n".join(("POST", path, timestamp, key, "")).encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


async def _answer(response: aiohttp.ClientResponse) -> Answered:
    read = bytearray()
    async for chunk in response.content.iter_any():
        read += chunk
        if len(read) > ANSWER_BYTES_MAX:
            return Answered(status=response.status, readable=False)
    after_s = _after_s(response.headers.get("Retry-After", ""))
    if not 200 <= response.status < 300:
        return Answered(status=response.status, after_s=after_s)
    if not read.strip():
        return Answered(status=response.status)
    try:
        body: Json = json.loads(bytes(read), parse_constant=_no_constant)
        _check_plain(body)
    except (ValueError, RecursionError):
        return Answered(status=response.status, readable=False)
    return Answered(status=response.status, body=body)


def _check_plain(value: Json, depth: int = 0) -> None:
    """ValueError: it holds what no database of ours takes: half a character, a number beyond all, nests too deep."""
    match value:
        case _ if depth > DEPTH_MAX:
            raise ValueError("nested too deep")
        case str():
            value.encode()
        case int() | float() if not -NUMBER_MAX <= value <= NUMBER_MAX:
            raise ValueError("a number beyond all")
        case list():
            for one in value:
                _check_plain(one, depth + 1)
        case dict():
            for name, one in value.items():
                name.encode()
                _check_plain(one, depth + 1)


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON")


def _after_s(header: str) -> float:
    """Seconds that the answer asks us to wait; 0 when it says nothing we understand, such as a date."""
    return min(float(header), RETRY_AFTER_MAX_S) if header.isascii() and header.isdigit() and len(header) <= 9 else 0.0
