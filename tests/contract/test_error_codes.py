"""Every error code of the platforms, answered over HTTP at every endpoint that we call: the decision is the table's."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app.composition import Seams
from bot.channels.endpoints import CUSTOM_SEND, MESSAGE_SEND, TEMPLATE_SEND, UPDATE_CARD
from bot.channels.verdicts import Platform, listed, verdict
from bot.core.effects import SendMessage
from bot.errors import Refused
from bot.runtime.ports import Accepted
from tests.passing_on import PassingOn

from .error_table import (
    PLATFORMS,
    READABLE,
    Seen,
    endpoints,
    next_step,
    readable,
    rows,
    seen_at,
    seen_everywhere,
    told,
)
from .product_rig import product
from .vendor import ways


@pytest.fixture(scope="module")
def seen() -> dict[Platform, Seen]:
    return {platform: asyncio.run(seen_everywhere(platform)) for platform in PLATFORMS}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_table_and_the_code_list_the_same_codes(platform: Platform) -> None:
    tabled = [code for row in rows(platform) for code in row.codes]
    assert len(tabled) == len(set(tabled))
    assert set(tabled) == listed(platform)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_code_leads_at_every_endpoint_to_the_decision_of_the_table(
    platform: Platform, seen: dict[Platform, Seen]
) -> None:
    expected = {
        (endpoint.path, code): row.expected(endpoint)
        for endpoint in endpoints(platform)
        for row in rows(platform)
        for code in row.codes
    }
    assert seen[platform] == expected


def test_the_readable_table_shows_what_was_seen(seen: dict[Platform, Seen]) -> None:
    assert readable(seen) == READABLE.read_text(), "write it anew: uv run python -m tests.contract.error_table"


@pytest.mark.parametrize("endpoint", [CUSTOM_SEND, TEMPLATE_SEND, MESSAGE_SEND, UPDATE_CARD])
async def test_a_code_in_no_table_is_refused_with_a_hint_for_whoever_is_alerted(endpoint: object) -> None:
    async with ways() as out:
        error = await seen_at(out, endpoint, 999_999)  # type: ignore[arg-type]  # a row of a table
    assert type(error) is Refused
    assert "对照表" in error.hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusing(PassingOn):
    """A sending half that gets one answer from its platform for every message to a buyer."""

    code: int

    async def send(self, effect: SendMessage) -> Accepted:
        raise verdict(CUSTOM_SEND, self.code)


@pytest.mark.parametrize(
    ("code", "state", "rests"),
    [
        (45033, "ready", False),
        (45009, "ready", True),
        (40014, "ready", True),
        (48001, "ready", True),
        (43004, "refused", False),
        (45015, "refused", False),
        (47001, "refused", False),
        (999_999, "refused", False),
        (45065, "sent", False),
        (-1, "ready", False),
    ],
)
async def test_the_outbox_does_with_a_decision_what_the_table_says(
    tmp_path: Path, code: int, state: str, rests: bool
) -> None:
    async with product(tmp_path, seams=Seams(around=lambda sender: Refusing(within=sender, code=code))) as ours:
        await ours.does("follow")
        ((seen, attempts),) = ours.rows("SELECT state, attempts FROM outbox ORDER BY seq LIMIT 1")
        degraded = (await ours.ready())[1]["degraded"]
    said = next_step(CUSTOM_SEND, told(verdict(CUSTOM_SEND, code)))
    assert (seen, "oa:main" in degraded) == (state, rests)
    assert attempts == 1
    assert f"`{state}`" in said
    assert ("rests" in said or "circuit open" in said) is rests
