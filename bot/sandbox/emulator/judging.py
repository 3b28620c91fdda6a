"""One request to a platform: read, decided, and described for the log."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from bot.sandbox.emulator.denial import Denial, bad_parameter, denial_reply
from bot.sandbox.emulator.endpoints import Answer, Call, Endpoint
from bot.sandbox.emulator.fault_rules import CallSite
from bot.sandbox.emulator.traffic import Line
from bot.sandbox.emulator.wire import Json

_ENCODER = json.JSONEncoder(ensure_ascii=False)
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to a platform. `query`: pairs in their order, since a key may repeat."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the platform decided, as the line of the log (without number and times) and as the body of the reply."""

    line: Line
    accepted: bool

    def body(self) -> bytes:
        """The reply's bytes."""
        return _ENCODER.encode(self.line.reply).encode()


class Case:
    """One request at the endpoint it is for."""

    def __init__(self, request: Request, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._request = request
        self._query = dict(request.query)
        self._shown, self._body = _parsed(request.body)

    @property
    def token(self) -> str:
        """The access token in the query, empty when there is none."""
        return self._query.get("access_token", "")

    def site(self) -> CallSite:
        """Where faults look for it."""
        return CallSite(
            platform=self.endpoint.platform,
            path=self.endpoint.path,
            account=self.endpoint.account(self._query, self._body or {}),
            sends=self.endpoint.sends,
            grants=self.endpoint.grants,
        )

    def line(self, verdict: str, *, reply: Json = None, account: str = "", reply_sent: bool | None = True) -> Line:
        """A line of this request."""
        return Line(
            direction="in",
            platform=self.endpoint.platform,
            endpoint=f"{self.endpoint.method} {self.endpoint.path}",
            request={"query": dict(self._query), "body": self._shown},
            account=account,
            reply=reply,
            verdict=verdict,
            reply_sent=reply_sent,
        )

    def judge(self, now: datetime, *, chance: Random, dropped: bool = False) -> Verdict:
        """Ask the endpoint. `dropped`: what it accepts never reaches anybody."""
        try:
            return self._accepted(self.endpoint.answer(self._call(now, dropped=dropped)))
        except Denial as denial:
            return self.denied(denial, chance=chance)

    def denied(self, denial: Denial, *, chance: Random) -> Verdict:
        """The platform says no."""
        reply = denial_reply(denial, self.endpoint.platform, chance=chance)
        line = replace(self.line(str(denial)), reply=reply, unfaithful=denial.unfaithful)
        return Verdict(line=line, accepted=False)

    def _accepted(self, answer: Answer) -> Verdict:
        line = self.line(answer.verdict, reply=answer.body, account=answer.account)
        return Verdict(line=line, accepted=True)

    def _call(self, now: datetime, *, dropped: bool) -> Call:
        endpoint, bad = self.endpoint, bad_parameter(self.endpoint.platform)
        if len(self._request.query) > len(self._query) or (
            endpoint.method == "POST" and set(self._query) - {"access_token"}
        ):
            raise Denial(bad, "query", unfaithful=True)
        body: Mapping[str, Json] = {}
        if endpoint.method == "POST":
            # The first test is a tenth of the second and settles nearly all.
            if b"\\u" in self._request.body and _ESCAPED.search(self._request.body):
                raise Denial(40033)
            if self._body is None:
                raise Denial(47001)
            body = self._body
        return Call(platform=endpoint.platform, query=self._query, body=body, now=now, dropped=dropped)


def _parsed(raw: bytes) -> tuple[Json, dict[str, Json] | None]:
    """The body as the log keeps it, and as an object, None when it is none."""
    try:
        parsed: Json = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return raw.decode(errors="replace"), None
    return parsed, parsed if isinstance(parsed, dict) else None
