"""The composition: the only place that knows every concrete class."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.app.accounts import callbacks_of, senders_of, targets_of
from bot.channels.oa.sender import OaSender
from bot.channels.webhooks import Webhooks
from bot.channels.wire import Wire
from bot.config import Config
from bot.config import Storage as StorageSection
from bot.core.program import Program
from bot.errors import Complaint, ConfigError
from bot.runtime.care import Upkeep
from bot.runtime.clocks import Clocks
from bot.runtime.engine import Engine
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Caller, Clock, Sender
from bot.runtime.tidying import Keep
from bot.storage import KeyRing, Storage, served_alone
from bot.web.body import Limits
from bot.web.server import admin, build, listening
from bot.web.webhook import Webhook

SWITCH_S = 0.0005
"""How long a thread may compute before another gets its turn. The writer gives its turn away at each statement, and
would wait ten times as long for it by default, with the database held."""


COLLECT_AFTER = (20_000, 50, 10_000)
"""A search for rubbish through everything that lives takes 100 ms, whoever holds the database just then. Steps leave
no cycles, so the youngest are looked through as they come and go, and all of it once an hour (tidying.py)."""


class MachineClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        return datetime.now(UTC)


def _itself(sender: Sender) -> Sender:
    return sender


def _asked_itself(caller: Caller) -> Caller:
    return caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """The places where the product meets the outside; whoever tests it may stand in between.

    `storage`: what the database is opened with. `clocks`: makes the watch over the machine's clocks. `around`: put
    around every account's sending half. `asking`: put around whoever asks other systems.
    """

    storage: type[Storage] = Storage
    clocks: Callable[[], Clocks] = Clocks
    around: Callable[[Sender], Sender] = _itself
    asking: Callable[[Caller], Caller] = _asked_itself


AS_SHIPPED = Seams()
_PORT_HINT = "换一个端口，或停掉占用它的程序"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The product at work. `port`, `admin_port`: where it listens. `lost`: another server has its database now."""

    engine: Engine
    storage: Storage
    metrics: Metrics
    live: Live
    port: int
    admin_port: int
    lost: asyncio.Event


def _keep_of(section: StorageSection) -> Keep:
    return Keep(
        events=timedelta(days=section.keep_events_days),
        messages=timedelta(days=section.keep_messages_days),
        journal=timedelta(days=section.keep_journal_days),
        quarantine=timedelta(days=section.keep_quarantine_days),
    )


def tune_interpreter() -> None:
    """Set how often threads switch and rubbish is looked for in this process, for what stands now and comes later."""
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@asynccontextmanager
async def running(
    settings: Config, program: Program, *, clock: Clock, keys: KeyRing, seams: Seams = AS_SHIPPED
) -> AsyncIterator[Running]:
    """The product, started; on leaving it stops gracefully and loses nothing.

    Starts from the inside out, so that no callback is accepted before it can be committed.
    """
    tune_interpreter()
    metrics, live = Metrics(), Live(program=program)
    async with AsyncExitStack() as works:
        lost = asyncio.Event()
        loop = asyncio.get_running_loop()
        works.enter_context(served_alone(settings.storage.url, lost=lambda: loop.call_soon_threadsafe(lost.set)))
        storage = await seams.storage.open(settings.storage.url, keys=keys, clock_now=clock.now)
        works.push_async_callback(storage.close)
        await storage.read(lambda tx: tx.customers.require_keys())
        wire = await works.enter_async_context(Wire())
        halves = senders_of(settings, wire, clock, storage)
        senders = {name: seams.around(sender) for name, sender in halves.items()}
        engine = Engine(storage, live=live, clock=clock, senders=senders, metrics=metrics)
        followers = {name: half for name, half in halves.items() if isinstance(half, OaSender)}
        webhooks = await works.enter_async_context(Webhooks(targets_of(settings)))
        upkeep = Upkeep(followers=followers, keep=_keep_of(settings.storage), clocks=seams.clocks())
        await engine.start(upkeep, caller=seams.asking(webhooks))
        works.push_async_callback(engine.stop)
        listeners = _listening(settings, engine, clock=clock, metrics=metrics)
        port, admin_port = await works.enter_async_context(listeners)
        yield Running(
            engine=engine,
            storage=storage,
            metrics=metrics,
            live=live,
            port=port,
            admin_port=admin_port,
            lost=lost,
        )


@asynccontextmanager
async def _listening(
    settings: Config, engine: Engine, *, clock: Clock, metrics: Metrics
) -> AsyncIterator[tuple[int, int]]:
    server = settings.server
    limits = Limits(age_max=timedelta(seconds=server.callback_age_s))
    accounts = callbacks_of(settings)
    webhook = Webhook(accounts=accounts, lanes=engine.lanes, clock=clock, metrics=metrics, limits=limits)
    application = build(webhook, engine)
    operators = admin(health=engine, metrics=metrics)
    async with AsyncExitStack() as open_ports:
        try:
            port = await open_ports.enter_async_context(listening(application, host=server.host, port=server.port))
            admin_port = await open_ports.enter_async_context(
                listening(operators, host="127.0.0.1", port=server.admin_port)
            )
        except OSError as error:
            where = f"[server] {server.host}:{server.port}, admin_port {server.admin_port}"
            raise ConfigError([Complaint(where=where, what=f"监听不了：{error.strerror}", hint=_PORT_HINT)]) from error
        yield port, admin_port
