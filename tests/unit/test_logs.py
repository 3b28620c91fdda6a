"""The log for operators: what it must never show, and that libraries write through the same mask."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from bot.runtime import logs, masking


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield io.StringIO()
    root.handlers[:], root.level = before
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请回电 13800138000 谢谢", "请回电 138****8000 谢谢"),
        ("138 0013-8000", "138****8000"),
        ("+86 13800138000", "138****8000"),
        ("１３８００１３８０００", "１３８****８０００"),
        ("oGFtU6aBcDeFgHiJkLmNoPqRsTuV left", "oGFtU*** left"),
        ("wmGFtU6aBcDeFgHiJkLmNoPqRsTuVwXy", "wmGFt***"),
        ("GET /callback/oa/main?signature=abc&openid=o1", "GET /callback/oa/main?***"),
        ("https://api.weixin.qq.com/cgi-bin/x?access_token=T", "https://api.weixin.qq.com/cgi-bin/x?***"),
        ("postgresql://zhitu:pa55@db/zhitu", "postgresql://***@db/zhitu"),
        ('{"access_token": "T0K", "expires_in": 7200}', '{"access_token": "***", "expires_in": 7200}'),
        ("corpsecret=abc", "corpsecret=***"),
        ("138.0013.8000", "138****8000"),
        ("138 - 0013 - 8000", "138****8000"),
        ("0086 138—0013—8000", "138****8000"),
        ("postgresql://zhitu:p@55@db/zhitu", "postgresql://***@db/zhitu"),
        ("Authorization: Bearer let-me.in=", "Authorization: Bearer ***"),
        ("1 3 8 0 0 1 3 8 0 0 0", "138****8000"),
        ("１３８-００１３ 8000", "１３８****8000"),
        ("一三八零零一三八零零零", "一三八****八零零零"),
        ("①③⑧00138000", "①③⑧****8000"),
        ("138\u200b0013\u200b8000", "138****8000"),
        (r"\xa013800138000", r"\xa0138****8000"),
        ("总机 010-12345678", "总机 010****5678"),
        (r"\noGFtU6aBcDeFgHiJkLmNoPqRsTuV", r"\noGFtU***"),
        ("openid%3DoGFtU6aBcDeFgHiJkLmNoPqRsTuV", "openid%3DoGFtU***"),
        (r"{\"access_token\": \"T0K\"}", r"{\"access_token\": \"***\"}"),
        ("msg_signature=6f4ba482&nonce=1&type=aes", "msg_signature=***&nonce=***&type=aes"),
    ],
)
def test_what_is_personal_or_secret_is_masked_in_any_text(text: str, masked: str) -> None:
    assert masking.mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "order 1380013800012 took 13 ms",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "f" * 64,
        "bearer of news",
        "139.12.34.56:1380",
        "postgresql://zhitu@db/zhitu",
        "why? because",
        "2026-12-01T22:30:00+08:00",
        "journeys/oa-welcome.yaml:74:11",
    ],
)
def test_what_is_neither_stays_readable(text: str) -> None:
    assert masking.mask(text) == text


def test_a_text_beyond_the_limit_is_cut_and_says_so() -> None:
    masked = masking.mask("a" * (masking.TEXT_LENGTH_MAX + 1))
    assert masked.endswith(f"… ({masking.TEXT_LENGTH_MAX + 1} characters)")


def test_every_field_of_a_line_is_masked_however_deep(stream: io.StringIO) -> None:
    logs.configure("json", stream=stream)
    nested = {"phone": "13800138000", "list": ["13800138000", {"token": "T0K"}], "count": 3}
    structlog.get_logger("bot.test").info("sent", to="oGFtU6aBcDeFgHiJkLmNoPqRsTuV", nested=nested, text="您好")
    line = json.loads(stream.getvalue())
    assert line["to"] == "oGFtU***"
    assert line["nested"] == {"phone": "***", "list": ["138****8000", {"token": "***"}], "count": 3}
    assert (line["text"], line["event"], line["level"], line["logger"]) == ("***", "sent", "info", "bot.test")
    assert line["at"].endswith("+00:00")


def test_nesting_beyond_the_limit_is_left_out_and_says_so() -> None:
    value: object = "13800138000"
    for _ in range(logs.NESTING_MAX + 1):
        value = [value]
    assert "… (list)" in str(logs.redact(None, "info", {"value": value}))


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_is_told_by_its_kind_and_its_lines_and_never_by_its_text(
    stream: io.StringIO, form: logs.Form
) -> None:
    logs.configure(form, stream=stream)
    heard = "我想买车 13800138000"
    unheard = KeyError(heard)
    try:
        try:
            int(heard)
        except ValueError as error:
            raise unheard from error
    except KeyError:
        structlog.get_logger().exception("failed")
        logging.getLogger("aiohttp.server").exception("Error handling request")
    told = stream.getvalue()
    assert told.count("KeyError") == told.count("caused by ValueError") == 2
    assert "test_logs.py" in told
    assert "我想买车" not in told
    assert "138****8000" not in told


def test_an_error_of_the_machine_keeps_its_text(stream: io.StringIO) -> None:
    logs.configure("json", stream=stream)
    structlog.get_logger().error("failed", why=OSError(28, "No space left on device"), other=ValueError("我想买车"))
    line = json.loads(stream.getvalue())
    assert (line["why"], line["other"]) == ("OSError: [Errno 28] No space left on device", "ValueError")


def test_of_an_object_only_its_class_is_told(stream: io.StringIO) -> None:
    logs.configure("json", stream=stream)
    event = SimpleNamespace(text="我想买车")
    structlog.get_logger().info("got", it=event, raw="我想买车".encode(), file=Path("journeys/a.yaml"))
    line = json.loads(stream.getvalue())
    assert (line["it"], line["raw"], line["file"]) == ("<SimpleNamespace>", "<bytes>", "journeys/a.yaml")


async def test_what_asyncio_says_of_a_task_ends_before_the_values_of_that_task(stream: io.StringIO) -> None:
    logs.configure("json", stream=stream)

    def fail(heard: str) -> None:
        raise ValueError(heard)

    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_soon(fail, "我想买车")
    loop.call_soon(done.set_result, None)
    await done
    line = json.loads(stream.getvalue())
    assert line["event"].startswith("Exception in callback")
    assert "我想买车" not in stream.getvalue()


def test_a_long_list_is_cut_and_says_so() -> None:
    told = logs.redact(None, "info", {"values": list(range(logs.ENTRIES_MAX + 1))})["values"]
    assert len(told) == logs.ENTRIES_MAX + 1
    assert told[-1] == f"… ({logs.ENTRIES_MAX + 1} entries)"


@pytest.mark.parametrize("form", ["json", "console"])
def test_libraries_write_through_the_same_mask(stream: io.StringIO, form: logs.Form) -> None:
    logs.configure(form, stream=stream)
    logging.getLogger("aiohttp.server").error("GET %s", "/callback/oa/main?openid=o1")
    assert "/callback/oa/main?***" in stream.getvalue()
    assert "openid" not in stream.getvalue()


def test_a_line_for_every_request_is_not_written(stream: io.StringIO) -> None:
    logs.configure("json", stream=stream)
    logging.getLogger("aiohttp.access").info("GET /healthz")
    assert stream.getvalue() == ""
