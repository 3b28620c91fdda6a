"""A call ends within the lease of its message, also where the platform refuses tokens: delivery.md 3.1."""

from collections.abc import Mapping

import pytest

from bot.channels.api import ASK_WITHIN_S, Api
from bot.channels.endpoints import CUSTOM_SEND
from bot.channels.tokens import WAIT_MAX_S, Grant, Tokens
from bot.channels.verdicts import Endpoint
from bot.channels.wire import CALL_TIMEOUT_S, Body, Reply, Wire
from bot.errors import TryLater, Unauthorised
from bot.runtime.outbox import BEGIN_WITHIN_S, LEASE_FOR

from .memory_vault import MemoryVault
from .posting import StillClock


class Refusing(Wire):
    """A platform that refuses every token, `took_s` after it was asked."""

    def __init__(self, took_s: float) -> None:
        super().__init__()
        self.asked, self.now_s, self._took_s = 0, 0.0, took_s

    async def exchange(
        self, base: str, endpoint: Endpoint, *, query: Mapping[str, str], body: Body | None = None
    ) -> Reply:
        self.asked += 1
        self.now_s += self._took_s
        return {"errcode": 40001, "errmsg": "invalid credential"}


@pytest.mark.parametrize(("took_s", "asked", "renewals"), [(1.0, 2, 2), (ASK_WITHIN_S, 1, 1)])
async def test_a_call_whose_lease_could_end_asks_for_no_further_token_and_begins_no_request(
    took_s: float, asked: int, renewals: int
) -> None:
    wire = Refusing(took_s)
    asked_with_force: list[bool] = []

    async def fetch(*, force: bool) -> Grant:
        asked_with_force.append(force)
        return Grant(access_token=f"t{len(asked_with_force)}", expires_in_s=7200)

    tokens = Tokens(name="oa:main", fetch=fetch, clock=StillClock(), can_force=True, vault=MemoryVault())
    api = Api(wire=wire, base="", tokens=tokens, seconds=lambda: wire.now_s)
    with pytest.raises(TryLater if took_s > 1 else Unauthorised):
        await api.call(CUSTOM_SEND, body={})
    assert wire.asked == asked
    assert len(asked_with_force) == renewals
    assert LEASE_FOR.total_seconds() >= BEGIN_WITHIN_S + ASK_WITHIN_S + WAIT_MAX_S + CALL_TIMEOUT_S
