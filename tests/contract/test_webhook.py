"""What the server answers to requests that are wrong, late, huge, slow or repeated."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import aiohttp
import pytest

from bot.channels.trust import NONCES_MAX, Nonces
from bot.core.events import Event
from bot.errors import Untrusted
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Query
from bot.web.body import Limits
from bot.web.front import Front
from bot.web.server import build, listening
from bot.web.webhook import Webhook

from .posting import (
    NOW,
    House,
    KeptLanes,
    Push,
    StillClock,
    Told,
    fixture,
    house,
    oa_callbacks,
    oa_plain,
    oa_safe,
    seal,
    wecom,
)

TEXT = fixture("oa_text.xml")
BODY_BYTES_MAX = 256 * 1024


@pytest.fixture
async def ours() -> AsyncIterator[House]:
    async with house() as running:
        yield running


def _with(push: Push, **query: str) -> Push:
    return replace(push, query={**push.query, **query})


def _without(push: Push, *keys: str) -> Push:
    return replace(push, query={key: value for key, value in push.query.items() if key not in keys})


BAD_QUERIES = [
    _with(oa_safe(TEXT), msg_signature="0" * 40),
    _with(oa_safe(TEXT), msg_signature="汽" * 40),
    _with(oa_safe(TEXT), msg_signature=oa_safe(TEXT).query["signature"]),
    _without(oa_safe(TEXT), "msg_signature"),
    _without(oa_safe(TEXT), "encrypt_type"),
    _with(oa_safe(TEXT), encrypt_type="raw"),
    _with(oa_safe(TEXT), nonce="another"),
    _with(oa_safe(TEXT), timestamp="soon"),
    _without(oa_safe(TEXT), "timestamp"),
    _with(oa_plain(TEXT), signature="0" * 40),
    replace(oa_plain(TEXT), path="/callback/oa/main"),
    replace(oa_plain(TEXT), path="/callback/oa/mixed"),
    _with(wecom(TEXT), msg_signature="f" * 40),
    _without(wecom(TEXT), "msg_signature"),
]


@pytest.mark.parametrize("push", BAD_QUERIES)
async def test_a_request_with_a_wrong_signature_is_refused_counted_and_not_kept(ours: House, push: Push) -> None:
    assert (await ours.post(push))[0] == 403
    assert ours.lanes.events == {} and ours.lanes.quarantined == []
    channel, account = ("app" if "wecom" in push.path else "oa"), push.path.rsplit("/", 1)[1]
    assert ours.counted("untrusted", channel=channel, account=account) == 1


@pytest.mark.parametrize(("age", "status"), [(-601, 403), (-600, 200), (600, 200), (601, 403)])
async def test_a_signature_lives_ten_minutes(ours: House, age: int, status: int) -> None:
    made_at = NOW - timedelta(seconds=age)
    assert (await ours.post(oa_safe(TEXT, timestamp=str(int(made_at.timestamp())))))[0] == status


async def test_how_long_a_signature_lives_is_said_by_the_configuration() -> None:
    made_at = NOW - timedelta(seconds=61)
    push = oa_safe(TEXT, timestamp=str(int(made_at.timestamp())))
    async with house(limits=Limits(age_max=timedelta(seconds=60))) as strict:
        assert (await strict.post(push))[0] == 403
    async with house(limits=Limits(age_max=timedelta(seconds=61))) as running:
        assert (await running.post(push))[0] == 200


async def test_the_identical_request_again_is_acknowledged_and_kept_once(ours: House) -> None:
    assert await ours.post(oa_safe(TEXT)) == await ours.post(oa_safe(TEXT)) == (200, "success")
    assert len(ours.lanes.events) == 1


async def test_in_plain_mode_a_nonce_takes_one_body(ours: House) -> None:
    assert (await ours.post(oa_plain(TEXT)))[0] == 200
    assert (await ours.post(oa_plain(TEXT)))[0] == 200
    assert (await ours.post(oa_plain(TEXT.replace(b"24900000000000001", b"24900000000000009"))))[0] == 403
    assert len(ours.lanes.events) == 1


def test_nonces_are_forgotten_at_their_maximum_and_after_their_time() -> None:
    nonces = Nonces()
    for number in range(NONCES_MAX + 1):
        nonces.admit(Query(timestamp="1", nonce=str(number)), b"a", NOW)
    nonces.admit(Query(timestamp="1", nonce="0"), b"b", NOW)
    with pytest.raises(Untrusted):
        nonces.admit(Query(timestamp="1", nonce="2"), b"b", NOW)
    nonces.admit(Query(timestamp="2", nonce="late"), b"a", NOW + timedelta(hours=1))
    assert len(nonces._digests) == 1


UNREADABLE = [
    b"",
    b"not a message",
    b"<xml>",
    b"<html><MsgType>text</MsgType></html>",
    b"{",
    b'{"FromUserName": NaN}',
    b"[]",
    b"\xff\xfe\x00",
    b"<xml></xml>",
    b"<xml>text</xml>",
    TEXT.replace(b"1760000000", b"yesterday"),
    TEXT.replace(b"1760000000", b"99999999999999999999"),
    TEXT.replace(b"<![CDATA[text]]>", b""),
    TEXT.replace(b"<![CDATA[oDemoOpenid0000000000000001]]>", b""),
    fixture("oa_image.xml").replace(b"MediaId", b"Media"),
    fixture("oa_event_sub_popup.xml").replace(b"List>", b"Line>"),
    b"<xml>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</xml>",
    b'{"a":' + b"[" * 60_000 + b"]" * 60_000 + b"}",
    b'<!DOCTYPE xml [<!ENTITY a "b">]>' + TEXT,
    b'<?xml version="1.0"?><!DOCTYPE xml SYSTEM "file:///etc/passwd">' + TEXT,
    TEXT.replace("想预约试驾".encode(), b"]]>&unknown;<![CDATA["),
]


@pytest.mark.parametrize("message", UNREADABLE)
async def test_a_signed_message_that_cannot_be_read_is_quarantined_and_acknowledged(
    ours: House, message: bytes
) -> None:
    assert await ours.post(oa_safe(message)) == (200, "success")
    ((channel, account, body, why),) = ours.lanes.quarantined
    assert (channel, account, body) == ("oa", "main", message)
    assert why
    assert ours.counted("unreadable") == 1
    assert ours.lanes.events == {}


@pytest.mark.parametrize("sealed", ["QUJD", "A" * 64, "A===", "AAAAA"])
async def test_a_signed_ciphertext_that_is_none_is_quarantined(ours: House, sealed: str) -> None:
    assert await ours.post(oa_safe(b"", sealed=sealed)) == (200, "success")
    assert len(ours.lanes.quarantined) == 1


async def test_a_message_for_another_app_id_is_refused(ours: House) -> None:
    assert (await ours.post(oa_safe(b"", sealed=seal(TEXT, receive_id="wxother"))))[0] == 403
    assert ours.lanes.events == {}


async def test_an_unknown_event_type_is_acknowledged_and_counted(ours: House) -> None:
    body = fixture("oa_event_click.xml").replace(b"CLICK", b"BRAND_NEW")
    assert await ours.post(oa_safe(body)) == (200, "success")
    assert ours.counted("unsupported") == 1
    assert ours.metrics.value("zhitu_callbacks_unsupported_total", kind="oa.event.other") == 1


async def test_a_body_of_the_largest_size_is_read(ours: House) -> None:
    push = oa_plain(TEXT.replace(b"</xml>", b"<a>" + b" " * BODY_BYTES_MAX))
    push = replace(push, body=push.body[: BODY_BYTES_MAX - 10] + b"</a></xml>")
    assert len(push.body) == BODY_BYTES_MAX
    assert (await ours.post(push))[0] == 200
    assert len(ours.lanes.events) == 1


async def test_a_body_over_256_kib_is_answered_413(ours: House) -> None:
    push = replace(oa_plain(TEXT), body=b" " * (BODY_BYTES_MAX + 1))
    assert (await ours.post(push))[0] == 413
    assert ours.counted("too_large", account="plain") == 1


async def test_an_announced_length_over_256_kib_is_answered_before_any_of_it_is_sent(ours: House) -> None:
    answer = await _raw(ours, f"Content-Length: {BODY_BYTES_MAX + 1}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_chunked_body_is_cut_off_at_256_kib(ours: House) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = await _raw(ours, b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 5)
    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_compressed_body_is_not_unpacked(ours: House) -> None:
    packed = gzip.compress(b" " * 10_000_000)
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\nConnection: close\r\n\r\n"
    assert (await _raw(ours, head.encode() + packed)).startswith(b"HTTP/1.1 200")
    assert ours.lanes.quarantined[0][2] == packed


async def test_an_unsigned_request_is_refused_without_its_body(ours: House) -> None:
    answer = await _raw(ours, b"Content-Length: 1000\r\n\r\n", query="timestamp=1760000005&nonce=1")
    assert answer.startswith(b"HTTP/1.1 403")


async def test_a_body_that_never_comes_is_given_up() -> None:
    async with house(limits=Limits(body_timeout_s=0.05)) as hurried:
        answer = await _raw(hurried, b"Content-Length: 1000\r\n\r\n<xml>")
        assert answer.startswith(b"HTTP/1.1 408")
        assert hurried.counted("too_slow", account="plain") == 1


async def test_a_connection_that_breaks_off_is_counted(ours: House) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", ours.port)
    writer.write(_head(oa_plain(TEXT)) + b"Content-Length: 1000\r\n\r\n<xml>")
    await writer.drain()
    await _close(writer)
    await _until(lambda: ours.counted("cut_off", account="plain") == 1)


async def test_a_body_whose_chunks_are_garbage_is_refused_and_not_logged(
    ours: House, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await _raw(ours, b"Transfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n")
    assert answer.split()[1] == b"400"
    assert caplog.text == ""


async def test_a_commit_that_fails_is_answered_503_and_counted_as_turned_away(ours: House) -> None:
    ours.lanes.broken = True
    assert (await ours.post(oa_safe(TEXT)))[0] == 503
    assert (await ours.post(oa_safe(b"unreadable", nonce="n2")))[0] == 503
    assert ours.counted("turned_away") == 2
    ours.lanes.broken = False
    assert await ours.post(oa_safe(TEXT)) == (200, "success")


@pytest.mark.parametrize(("nonce_signed", "status"), [("n1", 503), ("another", 403)])
async def test_while_our_clock_is_wrong_a_signed_request_of_another_time_is_turned_away_to_come_again(
    ours: House, nonce_signed: str, status: int
) -> None:
    ours.lanes.clock_trouble = "it jumped"
    stale = oa_safe(TEXT, timestamp=str(int((NOW - timedelta(hours=5)).timestamp())), nonce="n1")
    assert (await ours.post(_with(stale, nonce=nonce_signed)))[0] == status
    assert ours.lanes.lost == ([("oa", "main", "clock")] if status == 503 else [])
    assert ours.counted("turned_away") == len(ours.lanes.lost)
    assert (await ours.post(_with(stale, timestamp="999999999999")))[0] == 403
    assert (await ours.post(oa_safe(TEXT, nonce="n2")))[0] == 200
    assert ours.lanes.quarantined == []


class Clumsy:
    """A receiving half with a bug."""

    account, acknowledgement = "main", "success"

    def verify(self, query: Query, now: datetime) -> str:
        return ""

    def is_forged(self, query: Query) -> bool:
        return False

    def decode(self, query: Query, body: bytes, now: datetime) -> tuple[Event, ...]:
        raise KeyError(body)

    def reread(self, body: bytes) -> tuple[Event, ...]:
        raise KeyError(body)


async def test_a_callback_that_meets_a_bug_of_ours_is_quarantined_as_it_came_and_not_lost(ours: House) -> None:
    webhook = Webhook(
        accounts={("oa", "main"): Clumsy()},
        lanes=ours.lanes,
        clock=ours.clock,
        metrics=ours.metrics,
        limits=Limits(),
    )
    push = oa_safe(TEXT)
    async with listening(Front(webhook.pages()), host="127.0.0.1", port=0) as port:
        url = f"http://127.0.0.1:{port}{push.path}"
        async with ours.http.post(url, params=push.query, data=push.body) as response:
            assert (response.status, await response.text()) == (200, "success")
    ((channel, account, body, why),) = ours.lanes.quarantined
    assert (channel, account, body) == ("oa", "main", push.body)
    assert why.startswith("KeyError at ")
    assert ours.counted("unreadable") == 1


async def test_callbacks_beyond_the_waiting_ones_are_turned_away() -> None:
    async with house(limits=Limits(commits_waiting_max=0)) as full:
        assert (await full.post(oa_safe(TEXT)))[0] == 503
        assert full.counted("turned_away") == 1


class SlowLanes(KeptLanes):
    """Commits only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def accept(self, events: Sequence[Event]) -> None:
        self.reached.set()
        await self.go.wait()
        await super().accept(events)


async def test_a_server_that_stops_finishes_the_requests_in_hand() -> None:
    lanes, push = SlowLanes(), oa_safe(TEXT)
    accounts = {("oa", "main"): oa_callbacks()}
    served = build(Webhook(accounts=accounts, lanes=lanes, clock=StillClock(), metrics=Metrics()), Told())
    async with aiohttp.ClientSession() as http:
        async with listening(served, host="127.0.0.1", port=0) as port:
            url = f"http://127.0.0.1:{port}{push.path}"
            asking = asyncio.ensure_future(http.post(url, params=push.query, data=push.body))
            await lanes.reached.wait()
            asyncio.get_running_loop().call_soon(lanes.go.set)
        async with await asking as response:
            assert (response.status, await response.text()) == (200, "success")
    assert len(lanes.events) == 1


@pytest.mark.parametrize("path", ["/callback/oa/nobody", "/callback/wecom/plain", "/callback/sms/main", "/"])
async def test_an_address_of_nobody_is_not_found(ours: House, path: str) -> None:
    assert (await ours.post(replace(oa_safe(TEXT), path=path)))[0] == 404


async def test_an_echo_string_of_absurd_length_is_refused(ours: House) -> None:
    push = oa_plain(TEXT)
    assert (await ours.get(push.path, {**push.query, "echostr": "x" * 2000}))[0] == 403


async def test_an_old_url_check_is_refused(ours: House) -> None:
    ours.clock.at = NOW + timedelta(minutes=11)
    push = oa_plain(TEXT)
    assert (await ours.get(push.path, {**push.query, "echostr": "1"}))[0] == 403


async def test_healthz_says_that_the_process_answers(ours: House) -> None:
    assert await ours.get("/healthz") == (200, '{"alive": true}')


async def test_readyz_stays_ready_and_tells_which_platform_is_down(ours: House) -> None:
    ours.health.down["oa:main"] = "the access token is refused"
    status, body = await ours.get("/readyz")
    assert status == 200
    assert json.loads(body) == {"ready": True, "degraded": {"oa:main": "the access token is refused"}, "parked": 0}


async def test_readyz_fails_only_when_callbacks_cannot_be_committed(ours: House) -> None:
    ours.health.accepts = False
    assert (await ours.get("/readyz"))[0] == 503


async def test_metrics_stand_on_the_operators_port_alone(ours: House) -> None:
    await ours.post(oa_safe(TEXT))
    status, text = await ours.get("/metrics", port=ours.admin_port)
    assert status == 200
    assert 'zhitu_callbacks_total{account="main",channel="oa",outcome="accepted"} 1.0' in text
    assert "zhitu_accept_seconds_count 1.0" in text
    assert (await ours.get("/metrics"))[0] == 404


def test_callbacks_cannot_be_composed_without_their_secrets() -> None:
    for broken in ({"mode": "safe", "aes_keys": ()}, {"mode": "plain", "aes_keys": ("short",)}):
        with pytest.raises(ValueError):
            oa_callbacks(**broken)  # type: ignore[arg-type]  # a row of a table


def test_neither_a_seal_nor_a_query_shows_a_secret() -> None:
    query = oa_safe(TEXT).query
    shown = repr(oa_callbacks()._seal) + repr(Query(**query))
    assert not [secret for secret in ("demoToken123", query["signature"], query["msg_signature"]) if secret in shown]


def _head(push: Push, query: str | None = None) -> bytes:
    asked = query if query is not None else "&".join(f"{key}={value}" for key, value in push.query.items())
    return f"POST {push.path}?{asked} HTTP/1.1\r\nHost: x\r\n".encode()


async def _raw(ours: House, rest: bytes, *, query: str | None = None) -> bytes:
    """The first of the answer to a request that is written byte by byte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", ours.port)
    writer.write(_head(oa_plain(TEXT), query) + rest)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(4096), timeout=120)
    await _close(writer)
    return answer


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
