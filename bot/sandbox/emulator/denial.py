"""How the platforms say no."""

from random import Random
from typing import assert_never

from bot.sandbox.emulator.draws import trace
from bot.sandbox.emulator.settings import Platform
from bot.sandbox.emulator.wire import Json

_MEANING: dict[int, str] = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40033: "invalid charset, do not escape as \\uxxxx",
    40035: "invalid parameter",
    40037: "invalid template_id",
    40056: "invalid agentid",
    40058: "invalid parameter",
    40125: "invalid appsecret",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    42001: "access_token expired",
    43004: "require subscribe",
    43012: "callback url not configured",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "api freq out of limit",
    45011: "api minute-quota reached, must slower",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    47001: "data format error",
    47003: "argument invalid",
    48002: "user refuse to receive message",
    48008: "no permission for this message type",
    60140: "invalid response_code",
    65400: "customer service desk not enabled",
    81013: "user & party & tag all invalid",
    82001: "touser & toparty & totag all empty",
    301002: "not allow operate another agent",
}


class Denial(Exception):
    """The platform refuses a request with `code`. `unfaithful`: the request is one the fact sheet does not list."""

    def __init__(self, code: int, detail: str = "", *, unfaithful: bool = False) -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail
        self.unfaithful = unfaithful


def denial_reply(denial: Denial, platform: Platform, *, chance: Random) -> dict[str, Json]:
    """The JSON body of a refusal, with the trace that each platform hangs on its errmsg (wechat-api.md 0)."""
    said = f"{_MEANING.get(denial.code, 'error')} {denial.detail}".strip()
    match platform:
        case "oa":
            return {
                "errcode": denial.code,
                "errmsg": f"{said} rid: {trace(chance, 8)}-{trace(chance, 8)}-{trace(chance, 8)}",
            }
        case "wecom":
            more = f"more info at https://open.work.weixin.qq.com/devtool/query?e={denial.code}"
            return {
                "errcode": denial.code,
                "errmsg": f"{said}, hint: [{trace(chance, 16)}], from ip: 127.0.0.1, {more}",
            }
        case _:
            assert_never(platform)


def bad_parameter(platform: Platform) -> int:
    """The code with which `platform` rejects a field for which the fact sheet names no other."""
    return 40035 if platform == "oa" else 40058
