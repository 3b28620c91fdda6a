"""The product under test, in a process of its own: the real composition with a mine, a defect or a power switch."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from bot import config
from bot.app.composition import MachineClock, Seams, running
from bot.app.programs import load_program
from bot.storage import KeyRing
from tests.crash.mines import MinedSender
from tests.crash.products import STORAGE_KEY, Place
from tests.survival import power
from tests.survival.mines import Mine, MinedStorage, mine_tokens

HERE = Path(__file__).parent
PRELOADED = ["bot.app.composition", "tests.survival.product", "tests.survival.people"]


@dataclass(frozen=True, kw_only=True)
class Life:
    """How one process of the product lives. `mine` goes off in it; `defect` is planted in it; `power_log`: every
    write to its database that is not yet on the disk stands there, so that a cut can take it away."""

    mine: Mine
    defect: str = ""
    power_log: Path | None = None


def start(context: ForkServerContext, place: Place, base_url: str, life: Life) -> ForkServerProcess:
    """Begin a life. SIGUSR1 arms its mine, SIGTERM ends it with 0."""
    environment = {**place.environment(base_url), "ZHITU_STORAGE__KEYS": STORAGE_KEY}
    process = context.Process(target=_live, args=(place.directory, environment, life), daemon=True)
    process.start()
    return process


def _live(directory: Path, environment: Mapping[str, str], life: Life) -> None:
    os.environ.update(environment)
    log = os.open(directory / "product.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    if life.power_log is not None:
        power.watch(life.power_log)
    if life.defect:
        _plant(life.defect)
    mine_tokens(life.mine)
    asyncio.run(_serve(life.mine))


def _plant(defect: str) -> None:
    from tests.survival.defects import plant  # nobody else pays for them

    plant(defect)


async def _serve(mine: Mine) -> None:
    settings = config.load(HERE / "config.toml", os.environ)
    program = load_program(HERE / "journeys", HERE / "content", settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, mine.arm)
    MinedStorage.mine = mine
    # arg-type: our mine has the two methods that this sender asks one for.
    around = lambda sender: MinedSender(within=sender, mine=mine)  # type: ignore[arg-type]  # noqa: E731
    seams = Seams(storage=MinedStorage, around=around)
    keys = KeyRing.from_texts([STORAGE_KEY])
    async with running(settings, program, clock=MachineClock(), keys=keys, seams=seams):
        await stop.wait()
