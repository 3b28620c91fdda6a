"""The shipped product, composed by `bot.app.composition.running`, and both platforms around it, on one clock."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from bot.app.composition import AS_SHIPPED, Running, Seams, running
from bot.app.programs import load_program
from bot.config import Config
from bot.core.program import Program
from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator import Conduct, Emulator, EmulatorSettings, OaSettings, WecomSettings
from bot.sandbox.emulator.settings import Template
from bot.sandbox.world import World
from bot.storage import KeyRing

from .posting import AES_KEY, AGENT_ID, APP_ID, CORP_ID, NOW, TOKEN, Push

ROOT = Path(__file__).parents[2]
BUYER = "oBuyer0000000000000000000001"
OTHER = "oBuyer0000000000000000000002"
MEMBERS = {"zhangmin": "张敏", "lilei": "李雷", "wangfang": "王芳", "chenjing": "陈静", "zhouning": "周宁"}
TEMPLATE_ID = "TPL_progress"


@dataclass(frozen=True, kw_only=True)
class Product:
    """Everything a test wants to touch or to look at."""

    world: World
    http: aiohttp.ClientSession
    database: Path

    @property
    def running(self) -> Running:
        return self.world.product

    @property
    def emulator(self) -> Emulator:
        return self.world.emulator

    @property
    def clock(self) -> VirtualClock:
        return self.world.clock

    async def does(self, do: str, *, openid: str = BUYER, **fields: str) -> list[str]:
        """A buyer acts. The texts that she got for it."""
        before = len(self.emulator.buyer_chat(openid))
        await self.world.act({"do": do, "openid": openid, **fields})
        return self.texts(openid, after=before)

    async def says(self, *lines: str, openid: str = BUYER) -> list[str]:
        """A buyer writes. The texts that she got for the last line."""
        return [await self.does("say", openid=openid, text=line) for line in lines][-1]

    async def advisor(self, do: str, staff_id: str, **fields: str) -> None:
        """A colleague acts in the application."""
        await self.world.act({"do": do, "staff_id": staff_id, **fields})

    def texts(self, openid: str = BUYER, *, after: int = 0) -> list[str]:
        """All that the account has said to a buyer, `after` so many bubbles of the conversation."""
        return [bubble.text for bubble in self.emulator.buyer_chat(openid)[after:] if bubble.side == "them"]

    async def post(self, push: Push) -> tuple[int, str]:
        """A request of a platform. Status and body of the answer."""
        url = f"http://127.0.0.1:{self.running.port}{push.path}"
        async with self.http.post(url, params=push.query, data=push.body) as response:
            return response.status, await response.text()

    async def ready(self) -> tuple[int, dict[str, Any]]:
        """What /readyz says."""
        async with self.http.get(f"http://127.0.0.1:{self.running.port}/readyz") as response:
            return response.status, await response.json()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a plain sqlite3 reads from the product's database."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def count(self, table: str, condition: str = "1 = 1") -> int:
        """How many rows there are for which this holds."""
        ((found,),) = self.rows(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(found)

    def counted(self, outcome: str, *, channel: str = "oa") -> float:
        """How many callbacks ended so."""
        return self.running.metrics.value("zhitu_callbacks_total", channel=channel, account="main", outcome=outcome)


def _itself(program: Program) -> Program:
    return program


@asynccontextmanager
async def product(
    directory: Path,
    *,
    url: str = "",
    seams: Seams = AS_SHIPPED,
    change: Callable[[Program], Program] = _itself,
    keys: KeyRing | None = None,
    at: datetime = NOW,
) -> AsyncIterator[Product]:
    """The product on a database in `directory`, or at `url`, with the shipped journeys as `change` makes them."""
    database = directory / "zhitu.db"
    clock = VirtualClock(at)
    emulator = Emulator(settings=_platforms(), clock=clock)
    await emulator.start()
    try:
        settings = _settings(url or f"sqlite:///{database}", emulator)
        program = change(load_program(ROOT / "journeys", ROOT / "content", settings))
        async with (
            running(settings, program, clock=clock, keys=keys or KeyRing.generate(), seams=seams) as at_work,
            aiohttp.ClientSession() as http,
        ):
            for platform in ("oa", "wecom"):
                address = f"http://127.0.0.1:{at_work.port}/callback/{platform}/main"
                emulator.set_callback(platform, "main", address)
            world = World(clock=clock, emulator=emulator, product=at_work, account="main", staff=MEMBERS)
            yield Product(world=world, http=http, database=database)
    finally:
        await emulator.stop()


def _platforms() -> EmulatorSettings:
    oa = OaSettings(
        name="main",
        app_id=APP_ID,
        secret="oa-secret",
        token=TOKEN,
        aes_key=AES_KEY,
        gh_id="gh_demo00000001",
        templates=(Template(template_id=TEMPLATE_ID, title="留资进度"),),
    )
    wecom = WecomSettings(
        name="main",
        corp_id=CORP_ID,
        agent_id=AGENT_ID,
        secret="app-secret",
        token=TOKEN,
        aes_key=AES_KEY,
        members=MEMBERS,
    )
    return EmulatorSettings(oa=(oa,), wecom=(wecom,), conduct=Conduct(retry_every_s=0.05))


def _settings(url: str, emulator: Emulator) -> Config:
    oa = {
        "app_id": APP_ID,
        "secret": "oa-secret",
        "token": TOKEN,
        "aes_key": AES_KEY,
        "api_base": emulator.base_url("oa"),
        "templates": {"留资进度": TEMPLATE_ID, "试驾提醒": "", "爽约关怀": ""},
    }
    wecom = {
        "corp_id": CORP_ID,
        "agent_id": AGENT_ID,
        "secret": "app-secret",
        "token": TOKEN,
        "aes_key": AES_KEY,
        "api_base": emulator.base_url("wecom"),
    }
    return Config.model_validate(
        {
            "server": {"port": 0, "admin_port": 0},
            "storage": {"url": url},
            "channels": {"oa": {"main": oa}, "wecom": {"main": wecom}},
        }
    )
