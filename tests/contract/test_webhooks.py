"""Webhooks over real HTTP: what is sent, and what every kind of answer, or none, is taken for."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web

from bot.channels.webhooks import ANSWER_BYTES_MAX, Target, Webhooks
from bot.core.errands import CallWebhook
from bot.core.ids import EffectId
from bot.runtime.ports import Answered, Unanswered

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
KEY = EffectId("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def partner(serve: Serve, *, timeout_s: int = 5) -> AsyncIterator[Webhooks]:
    """Another system that answers every request by `serve`."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    target = Target(url=f"http://127.0.0.1:{port}/zhitu", key="geheim", timeout_s=timeout_s)
    try:
        async with Webhooks({"crm": target}) as caller:
            yield caller
    finally:
        await runner.cleanup()


async def ask(caller: Webhooks, **body: str) -> Answered | Unanswered:
    request = CallWebhook(target="crm", operation="create_lead", body=dict(body))
    return await caller.call(request, key=KEY, at=NOW)


def answering(status: int = 200, raw: bytes = b"{}", **headers: str) -> Serve:
    async def serve(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=raw, headers=named)

    return serve


async def test_a_request_is_signed_over_everything_that_matters() -> None:
    seen: list[tuple[str, dict[str, str], bytes]] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, dict(request.headers), await request.read()))
        return web.json_response({"id": "L1"})

    async with partner(serve) as caller:
        assert await ask(caller, phone="13800138000", 姓名="王") == Answered(status=200, body={"id": "L1"})
    ((path, headers, body),) = seen
    assert path == "/zhitu/create_lead"
    assert json.loads(body) == {"phone": "13800138000", "姓名": "王"}
    assert headers["Idempotency-Key"] == KEY
    assert headers["X-Zhitu-Timestamp"] == "1796090400"
    signed = b"POST\n/zhitu/create_lead\n1796090400\n" + KEY.encode() + b"\n" + body
    wanted = hmac.new(b"geheim", signed, hashlib.sha256).hexdigest()
    assert headers["X-Zhitu-Signature"] == f"v1={wanted}"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"", None),
        (b" \n", None),
        (b"[1, 2]", [1, 2]),
        (b'"text"', "text"),
        (b"null", None),
        (b'{"a": 1.5}', {"a": 1.5}),
    ],
)
async def test_any_json_and_an_empty_body_are_an_answer(raw: bytes, body: object) -> None:
    async with partner(answering(raw=raw)) as caller:
        assert await ask(caller) == Answered(status=200, body=body)  # type: ignore[arg-type] # JSON of a table


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>",
        b"{",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": 123456789012345678901234567890}',
        b'"\\ud800"',
        b'{"\\ud800": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"[" * 100 + b"]" * 100,
        b'"' + b"x" * (ANSWER_BYTES_MAX + 1) + b'"',
    ],
    ids=[
        "html",
        "torn",
        "nan",
        "infinity",
        "huge number",
        "half character",
        "half name",
        "bytes",
        "abyss",
        "deep",
        "long",
    ],
)
async def test_what_no_database_could_keep_is_unreadable(raw: bytes) -> None:
    async with partner(answering(raw=raw)) as caller:
        assert await ask(caller) == Answered(status=200, readable=False)


@pytest.mark.parametrize("status", [201, 302, 400, 404, 500, 503])
async def test_the_status_is_told_as_it_is(status: int) -> None:
    async with partner(answering(status, Location="/elsewhere")) as caller:
        found = await ask(caller)
    assert isinstance(found, Answered) and found.status == status


@pytest.mark.parametrize(
    ("header", "after_s"), [("30", 30), ("99999", 3600), ("-5", 0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("٣", 0)]
)
async def test_a_partner_says_how_long_it_wants_to_be_left_alone(header: str, after_s: float) -> None:
    async with partner(answering(429, Retry_After=header)) as caller:
        found = await ask(caller)
    assert isinstance(found, Answered) and found.after_s == after_s


async def test_a_partner_that_says_nothing_may_have_taken_it() -> None:
    gate = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return web.Response()

    async with partner(serve, timeout_s=1) as caller:
        found = await ask(caller)
        gate.set()
    assert found == Unanswered(why="TimeoutError", may_be_taken=True)


async def test_a_partner_that_hangs_up_may_have_taken_it() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with partner(serve) as caller:
        found = await ask(caller)
    assert isinstance(found, Unanswered) and found.may_be_taken


async def test_a_partner_that_is_not_there_has_taken_nothing() -> None:
    async with partner(answering()) as gone:
        targets = gone._targets
    async with Webhooks(targets) as caller:
        found = await ask(caller)
    assert isinstance(found, Unanswered) and not found.may_be_taken


async def test_no_key_and_no_body_stands_in_what_is_shown() -> None:
    target = Target(url="https://crm.example.com", key="geheim", timeout_s=5)
    assert "geheim" not in repr(target)
