"""The product in a process of its own, with its configuration from the environment, as an operator starts it."""

import asyncio
import os
import signal
import socket
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from bot import config
from bot.app.composition import MachineClock, Seams, running
from bot.app.programs import load_program
from bot.cli import main
from bot.sandbox.emulator import EmulatorSettings
from bot.storage import KeyRing
from tests.crash.mines import Mine, MinedSender, MinedStorage

ROOT = Path(__file__).parents[2]
CONFIG, JOURNEYS, CONTENT = ROOT / "config.toml", ROOT / "journeys", ROOT / "content"
STORAGE_KEY = "1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PORTS = range(20_000, 32_000)
"""Below the ports that the system gives to outgoing connections, so that a port is still free after a restart."""


def free_ports() -> Generator[int]:
    """Ports of this machine that nobody has, each kept from other runs for as long as this iterator lives.

    A product that is dead leaves its port free for a moment, and tests run side by side. The port is held by a socket
    that does not listen: a server, which asks to reuse addresses, may still listen there; whoever looks for a free
    port does not ask and goes on to the next.
    """
    with ExitStack() as held:
        for port in PORTS[os.getpid() % 5_000 :]:
            claim = socket.socket()
            try:
                claim.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
            held.enter_context(claim)
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            yield port


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one product lives: its database and log, its port, its journeys, and the platforms that it talks to."""

    directory: Path
    port: int
    platforms: EmulatorSettings
    journeys: Path = JOURNEYS

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command that starts the product."""
        folders = ("--journeys", str(self.journeys), "--content", str(CONTENT))
        return ("run", "--config", str(CONFIG), *folders)

    @property
    def database(self) -> Path:
        return self.directory / "zhitu.db"

    def environment(self, base_url: str) -> dict[str, str]:
        """What an operator would set before `zhitu run`."""
        (oa,), (app,) = self.platforms.oa, self.platforms.wecom
        return {
            "OA_APP_ID": oa.app_id,
            "OA_SECRET": oa.secret,
            "OA_TOKEN": oa.token,
            "OA_AES_KEY": oa.aes_key,
            "WECOM_CORP_ID": app.corp_id,
            "WECOM_AGENT_ID": str(app.agent_id),
            "WECOM_SECRET": app.secret,
            "WECOM_TOKEN": app.token,
            "WECOM_AES_KEY": app.aes_key,
            "ZHITU_CHANNELS__OA__MAIN__API_BASE": base_url,
            "ZHITU_CHANNELS__WECOM__MAIN__API_BASE": base_url,
            "ZHITU_SERVER__PORT": str(self.port),
            "ZHITU_SERVER__ADMIN_PORT": "0",
            "ZHITU_STORAGE__URL": f"sqlite:///{self.database}",
            "ZHITU_STORAGE__KEYS": STORAGE_KEY,
        }


def start_shipped(context: ForkServerContext, place: Place, base_url: str) -> ForkServerProcess:
    """`zhitu run`, in a process that has imported everything already. SIGTERM ends it with 0."""
    process = context.Process(target=_shipped, args=(place, place.environment(base_url)), daemon=True)
    process.start()
    return process


def start_mined(context: ForkServerContext, place: Place, base_url: str, mine: Mine) -> ForkServerProcess:
    """The same composition with `mine` at its seams."""
    process = context.Process(target=_mined, args=(place, place.environment(base_url), mine), daemon=True)
    process.start()
    return process


def _shipped(place: Place, environment: Mapping[str, str]) -> None:
    _settle_in(place.directory, environment)
    main(place.arguments)


def _mined(place: Place, environment: Mapping[str, str], mine: Mine) -> None:
    _settle_in(place.directory, environment)
    asyncio.run(_serve(place, mine))


def _settle_in(directory: Path, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    log = os.open(directory / "product.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)


async def _serve(place: Place, mine: Mine) -> None:
    settings = config.load(CONFIG, os.environ)
    program = load_program(place.journeys, CONTENT, settings)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    MinedStorage.mine = mine
    seams = Seams(storage=MinedStorage, around=lambda sender: MinedSender(within=sender, mine=mine))
    keys = KeyRing.from_texts([STORAGE_KEY])
    async with running(settings, program, clock=MachineClock(), keys=keys, seams=seams):
        await stop.wait()
