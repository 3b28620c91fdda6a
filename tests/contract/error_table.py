"""The committed table of the platforms' error codes, and its readable form with what was seen.

To write the readable form anew, after the decisions were changed on purpose:
`uv run python -m tests.contract.error_table`.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.channels.endpoints import (
    ALL,
    CUSTOM_SEND,
    GETTOKEN,
    MESSAGE_SEND,
    STABLE_TOKEN,
    TEMPLATE_SEND,
    UPDATE_CARD,
    USER_INFO,
)
from bot.channels.verdicts import Endpoint, Platform
from bot.core.messages import Card, CardButton, TemplateMessage, Text
from bot.errors import ChannelError, TryLater, Unreachable

from .vendor import Ways, app_sender, effect, oa_sender, ways

HERE = Path(__file__).parent
READABLE = HERE / "error_codes.md"
PLATFORMS: tuple[Platform, ...] = ("oa", "wecom")
TOKEN_ENDPOINTS = (STABLE_TOKEN, GETTOKEN)
HELLO = Text(text="您好")
BOOKING = TemplateMessage(template="booking", fields=(("thing1", "试驾"),))
LEAD = Card(task_id="t1", title="线索", description="", buttons=(CardButton(key="accept", text="接受"),))

NEXT = {
    "try_later": "back to `ready`, after that many seconds",
    "try_later long": "back to `ready`, after that many seconds; the account rests as long, then one message probes it",
    "unauthorised": "back to `ready`, after 30 s; alert, the account rests, then one message probes it",
    "forbidden": "back to `ready`, after 30 s; alert, circuit open, one probe every 30 s",
    "unreachable": "`refused`; the journey plans its fallback",
    "refused": "`refused`; alert; the journey plans its fallback",
    "already_done": "`sent`",
    "unknown": "`unknown`, or back to `ready` for its one repeat",
}
NEXT_OF_TOKEN = "nothing was sent: back to `ready`; the account rests, then the token is asked for again"
NEXT_OF_FOLLOWER = "no message: it stays unknown whether she follows"
NEXT_OF_GONE_FOLLOWER = "no message: she does not follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the committed table."""

    codes: range
    meaning: str
    decision: str
    at: Mapping[str, str]

    def expected(self, endpoint: Endpoint) -> str:
        """The decision that has to be seen at `endpoint`."""
        found = self.at.get(short(endpoint), self.decision)
        if endpoint in TOKEN_ENDPOINTS and found.split()[0] not in ("try_later", "unauthorised", "forbidden"):
            return "unauthorised"  # whatever else is said there, there is no token, and nothing was sent
        return found

    @property
    def named(self) -> str:
        first, last = self.codes[0], self.codes[-1]
        return str(first) if first == last else f"{first}-{last}"


def rows(platform: Platform) -> list[Row]:
    """The committed table of one platform."""
    table = json.loads((HERE / "error_codes.json").read_text())[platform]
    return [
        Row(codes=_codes(one["codes"]), meaning=one["meaning"], decision=one["decision"], at=one.get("at", {}))
        for one in table
    ]


def endpoints(platform: Platform) -> list[Endpoint]:
    return [one for one in ALL if one.platform == platform]


def short(endpoint: Endpoint) -> str:
    return endpoint.path.removeprefix("/cgi-bin/")


def told(error: ChannelError) -> str:
    """A decision in the words of the table."""
    match error:
        case TryLater():
            return f"try_later {error.after_s:g}"
        case Unreachable():
            return f"unreachable {error.reason}"
        case _:
            return error.code


def next_step(endpoint: Endpoint, decision: str) -> str:
    """What the outbox, or whoever asked, does after `decision`."""
    kind, _, detail = decision.partition(" ")
    if endpoint in TOKEN_ENDPOINTS:
        return NEXT_OF_TOKEN
    if endpoint == USER_INFO:
        return NEXT_OF_GONE_FOLLOWER if decision == "unreachable gone" else NEXT_OF_FOLLOWER
    if kind == "try_later" and float(detail) >= 30:
        return NEXT["try_later long"]
    return NEXT[kind]


async def seen_at(out: Ways, endpoint: Endpoint, code: int) -> ChannelError:
    """What a sender raises when `endpoint` answers `code`, over HTTP. Every sender is new: none is parked."""
    out.vendor.answers.clear()
    out.vendor.will_answer(endpoint.path, *[{"errcode": code, "errmsg": "no"}] * 3)
    oa = oa_sender(out.base, wire=out.wire, clock=out.clock)
    app = app_sender(out.base, wire=out.wire, clock=out.clock)
    try:
        if endpoint == CUSTOM_SEND:
            await oa.send(effect(HELLO))
        elif endpoint == TEMPLATE_SEND:
            await oa.send(effect(BOOKING))
        elif endpoint == USER_INFO:
            await oa.user_info("oDemo")
        elif endpoint == STABLE_TOKEN:
            await oa.prepare()
        elif endpoint == GETTOKEN:
            await app.prepare()
        elif endpoint == MESSAGE_SEND:
            await app.send(effect(LEAD, channel="app"))
        else:
            assert endpoint == UPDATE_CARD
            await app.send(effect(replace(LEAD, response_code="R"), channel="app"))
    except ChannelError as error:
        return error
    raise AssertionError(f"{endpoint.path} took {code} for a success")


Seen = dict[tuple[str, int], str]


async def seen_everywhere(platform: Platform) -> Seen:
    """The decisions at all endpoints of a platform, by path and code."""
    found: Seen = {}
    async with ways() as out:
        for endpoint in endpoints(platform):
            for row in rows(platform):
                for code in row.codes:
                    error = await seen_at(out, endpoint, code)
                    assert error.vendor_code == code
                    found[endpoint.path, code] = told(error)
    return found


def readable(seen: Mapping[Platform, Seen]) -> str:
    """The table for people."""
    lines = [
        "# Error codes of the platforms",
        "",
        "Written by a test from what the senders raised when the endpoint answered the code over HTTP.",
        "Codes, meanings and expectations: `error_codes.json`. A code that is in no table is `refused`, with an alert.",
    ]
    for platform in PLATFORMS:
        lines += [
            "",
            f"## {platform}",
            "",
            "| code | meaning | endpoint | decision seen | next |",
            "|---|---|---|---|---|",
        ]
        lines += [line for row in rows(platform) for line in _lines(row, platform, seen[platform])]
    return "\n".join(lines) + "\n"


def _lines(row: Row, platform: Platform, seen: Seen) -> list[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for endpoint in endpoints(platform):
        (decision,) = {seen[endpoint.path, code] for code in row.codes}
        groups.setdefault((decision, next_step(endpoint, decision)), []).append(short(endpoint))
    return [
        f"| {row.named} | {row.meaning} | {', '.join(paths)} | {decision} | {after} |"
        for (decision, after), paths in groups.items()
    ]


def _codes(text: str) -> range:
    found = re.fullmatch(r"(-?\d+)(?:-(\d+))?", text)
    assert found, text
    first = int(found[1])
    return range(first, int(found[2] or first) + 1)


async def _write() -> None:
    READABLE.write_text(readable({platform: await seen_everywhere(platform) for platform in PLATFORMS}))


if __name__ == "__main__":
    asyncio.run(_write())
