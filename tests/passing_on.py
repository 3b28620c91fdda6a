"""A sending half that stands in front of another and passes everything on; tests put their own `send` into it."""

from dataclasses import dataclass

from bot.core.effects import SendMessage
from bot.runtime.ports import Accepted, Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class PassingOn:
    """As `within`, whatever it is asked."""

    within: Sender

    @property
    def channel(self) -> str:
        return self.within.channel

    @property
    def account(self) -> str:
        return self.within.account

    @property
    def trouble(self) -> str | None:
        return self.within.trouble

    @property
    def in_flight_max(self) -> int:
        return self.within.in_flight_max

    async def prepare(self) -> None:
        await self.within.prepare()

    async def send(self, effect: SendMessage) -> Accepted:
        return await self.within.send(effect)
