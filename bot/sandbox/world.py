"""The whole product and both platforms in one process, on a clock that can be turned."""

import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bot import authoring
from bot.app.composition import Running, running
from bot.app.programs import program_of
from bot.config import Config, Declared, declared
from bot.core.events import Json
from bot.core.program import Program
from bot.errors import BotError
from bot.runtime.reloading import Reloading
from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator import Emulator, EmulatorSettings, OaSettings, Template, WecomSettings
from bot.sandbox.emulator.partners import PARTNER_KEY, PREFIX
from bot.sandbox.scripted_calls import targets_in
from bot.storage import KeyRing

DUE_MOMENTS_MAX = 100_000
"""Moments at which something happened while the clock was turned once; beyond, something rings without end."""
ROUNDS_MAX = 10_000
"""Times that platforms and product may react to each other at one moment of the clock."""
STUCK_STEP = timedelta(seconds=1)
"""How far the clock goes when something is due that cannot be done yet, a platform being down."""
_AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


class NeverQuiet(BotError):
    """There was no end of things to do."""

    code = "never_quiet"


@dataclass(slots=True)
class World:
    """Buyers and advisors act through the emulator; the product answers over real HTTP."""

    clock: VirtualClock
    emulator: Emulator
    product: Running
    account: str
    staff: Mapping[str, str]
    reloading: Reloading | None = None

    async def act(self, action: Mapping[str, Json]) -> dict[str, Json]:
        """Do what a person does with a phone, and wait until everybody has reacted."""
        done = await self.emulator.act(action)
        await self.settle()
        return done

    async def settle(self) -> None:
        """Wait until nothing more can happen at this moment of the clock. NeverQuiet: both sides answer each other."""
        for _ in range(ROUNDS_MAX):
            await self.emulator.idle()
            await self.product.engine.quiesce()
            if not self.emulator.busy():
                return
        raise NeverQuiet(f"双方在同一时刻来回了 {ROUNDS_MAX} 次，还没有停")

    async def turn_to(self, at: datetime) -> None:
        """Turn the clock to `at`, stopping at every due moment on the way (delivery.md 6.2).

        ValueError: `at` lies in the past. NeverQuiet: there was no end to it.
        """
        await self.settle()
        for _ in range(DUE_MOMENTS_MAX):
            due = await self._next_due()
            if due is None or due >= at:
                break
            await self._move(due)
        else:
            raise NeverQuiet(f"到 {at.isoformat()} 之前有超过 {DUE_MOMENTS_MAX} 个到期时刻")
        await self._move(at)

    async def turn(self, delta: timedelta) -> None:
        """Turn the clock forward by `delta`."""
        await self.turn_to(self.clock.now() + delta)

    async def _move(self, at: datetime) -> None:
        self.clock.set(max(at, self.clock.now()))
        self.product.engine.wake()
        await self.settle()

    async def _next_due(self) -> datetime | None:
        now = self.clock.now()
        moments = [await self.product.engine.next_due(), self.emulator.next_due()]
        return min((max(at, now + STUCK_STEP) if at <= now else at for at in moments if at), default=None)


@asynccontextmanager
async def world(
    config_file: Path, journeys: Path, content: Path, *, clock: VirtualClock, directory: Path | None = None
) -> AsyncIterator[World]:
    """A world with the accounts that the configuration names, and invented credentials.

    `directory` holds the database; without one it is thrown away at the end. AuthoringError: the files have
    errors.
    """
    with tempfile.TemporaryDirectory(prefix="zhitu-") as throwaway:
        place = directory or Path(throwaway)
        names = _with_accounts(declared(config_file, {}))
        plan = _Plan(names=names, database=place / "sandbox.db")

        # Webhooks are not checked: whatever journeys ask, the emulator answers.
        def load() -> Program:
            return program_of(authoring.load(journeys, content, templates=names.templates))

        program = load()
        plan = replace(plan, webhooks=targets_in(program.library))
        emulator = Emulator(settings=plan.emulator(program), clock=clock)
        base_url = await emulator.start()
        try:
            async with running(plan.config(base_url), program, clock=clock, keys=KeyRing.generate()) as product:
                _connect(emulator, names, product.port)
                yield World(
                    clock=clock,
                    emulator=emulator,
                    product=product,
                    account=next(iter(names.official_accounts)),
                    staff={member.staff_id: member.name for member in program.library.members},
                    reloading=Reloading(product.live, (journeys, content), load, taken=product.engine.wake),
                )
        finally:
            await emulator.stop()


def _with_accounts(names: Declared) -> Declared:
    """At least one account of each kind, so that a bare configuration can be played with too."""
    return Declared(
        official_accounts=names.official_accounts or {"main": frozenset()},
        staff_apps=names.staff_apps or frozenset({"main"}),
    )


def _connect(emulator: Emulator, names: Declared, port: int) -> None:
    for name in names.official_accounts:
        emulator.set_callback("oa", name, f"http://127.0.0.1:{port}/callback/oa/{name}")
    for name in names.staff_apps:
        emulator.set_callback("wecom", name, f"http://127.0.0.1:{port}/callback/wecom/{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Invented credentials, the same on both sides."""

    names: Declared
    database: Path
    webhooks: frozenset[str] = frozenset()

    def emulator(self, program: Program) -> EmulatorSettings:
        members = program.library.members
        return EmulatorSettings(
            oa=tuple(
                OaSettings(
                    name=name,
                    app_id=f"wx{name}",
                    secret=f"secret-{name}",
                    token=f"token{name}",
                    aes_key=_AES_KEY,
                    gh_id=f"gh_{name}",
                    templates=tuple(Template(template_id=_template_id(title), title=title) for title in sorted(titles)),
                )
                for name, titles in self.names.official_accounts.items()
            ),
            wecom=tuple(
                WecomSettings(
                    name=name,
                    corp_id=f"ww{name}",
                    agent_id=1000002,
                    secret=f"secret-{name}",
                    token=f"token{name}",
                    aes_key=_AES_KEY,
                    members={member.staff_id: member.name for member in members if member.account == name},
                )
                for name in sorted(self.names.staff_apps)
            ),
        )

    def config(self, base_url: str) -> Config:
        oa = {
            name: {
                "app_id": f"wx{name}",
                "secret": f"secret-{name}",
                "token": f"token{name}",
                "aes_key": _AES_KEY,
                "api_base": base_url,
                "templates": {title: _template_id(title) for title in titles},
            }
            for name, titles in self.names.official_accounts.items()
        }
        wecom = {
            name: {
                "corp_id": f"ww{name}",
                "agent_id": 1000002,
                "secret": f"secret-{name}",
                "token": f"token{name}",
                "aes_key": _AES_KEY,
                "api_base": base_url,
            }
            for name in self.names.staff_apps
        }
        return Config.model_validate(
            {
                "server": {"port": 0, "admin_port": 0},
                "storage": {"url": f"sqlite:///{self.database}"},
                "channels": {"oa": oa, "wecom": wecom},
                "webhooks": {name: _partner(name, base_url) for name in self.webhooks},
            }
        )


def _partner(name: str, base_url: str) -> dict[str, str]:
    return {"url": f"{base_url}{PREFIX}/{name}", "key": PARTNER_KEY, "recipient": "沙盒"}


def _template_id(title: str) -> str:
    return f"TPL_{title.encode().hex()[:24]}"


def new_openid() -> str:
    """An openid that nobody has: 28 characters, as the platform makes them."""
    return f"o{secrets.token_hex(14)[:27]}"
