"""The log for operators: what it must never show, and that libraries write through the same mask."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.runtime import logs


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
        ("msg_signature=6f4ba482&nonce=1", "msg_signature=***&nonce=1"),
    ],
)
def test_what_is_personal_or_secret_is_masked_in_any_text(text: str, masked: str) -> None:
    assert logs.mask(text) == masked


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
    assert logs.mask(text) == text


def test_a_text_beyond_the_limit_is_cut_and_says_so() -> None:
    masked = logs.mask("a" * (logs.TEXT_LENGTH_MAX + 1))
    assert masked.endswith(f"… ({logs.TEXT_LENGTH_MAX + 1} characters)")


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


def test_a_traceback_is_masked_like_everything_else(stream: io.StringIO) -> None:
    logs.configure("json", stream=stream)
    try:
        raise ValueError("bad answer for 13800138000: access_token=T0K")
    except ValueError:
        structlog.get_logger().exception("failed")
    line = stream.getvalue()
    assert "ValueError: bad answer for 138****8000: access_token=***" in line
    assert "T0K" not in line


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
