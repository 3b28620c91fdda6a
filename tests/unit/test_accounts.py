"""What the engine knows of its accounts before anything was sent."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.effects import SendMessage
from bot.errors import ChannelError, Forbidden
from bot.runtime.accounts import Accounts
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Accepted
from bot.storage import Room


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 12, 1, 4, tzinfo=UTC)


@dataclass(slots=True)
class Platform:
    """A sending half that needs a token; `refusal` says why there is none."""

    refusal: ChannelError | None = None
    channel: str = "oa"
    account: str = "main"
    in_flight_max: int = 4
    trouble: str | None = None

    async def prepare(self) -> None:
        if self.refusal is not None:
            self.trouble = self.refusal.what
            raise self.refusal

    async def send(self, effect: SendMessage) -> Accepted:
        raise AssertionError(f"nobody asked to send {effect.effect_id}")


def accounts(platform: Platform) -> Accounts:
    return Accounts(senders={("oa", "main"): platform}, clock=Noon(), metrics=Metrics())


async def test_a_wrong_secret_is_told_before_the_first_message() -> None:
    ours = accounts(Platform(refusal=Forbidden("the secret is wrong", vendor_code=40125)))
    assert ours.degraded() == {}
    await ours.greet()
    assert ours.degraded() == {"oa:main": "the secret is wrong"}


async def test_an_account_that_is_ready_is_not_degraded() -> None:
    ours = accounts(Platform())
    await ours.greet()
    assert ours.degraded() == {}
    assert ours.places(("oa", "main")) == Room(slots=4, for_urgent=1)
    assert ours.room([]) == {("oa", "main"): Room(slots=12, for_urgent=1)}
