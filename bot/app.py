"""The composition: the only place that knows every concrete class."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bot import authoring
from bot.channels.app.codec import AppCallbacks
from bot.channels.app.sender import AppAccount, AppSender
from bot.channels.oa.codec import OaCallbacks
from bot.channels.oa.sender import OaAccount, OaSender
from bot.channels.webhooks import Target, Webhooks
from bot.channels.wire import Wire
from bot.config import Config, Declared, key_texts
from bot.config import Storage as StorageSection
from bot.config.keyfile import database_file
from bot.core.access import KeptToken
from bot.core.program import Program, compile_library
from bot.errors import AuthoringError, BotError, Complaint, ConfigError, StorageError
from bot.runtime import why
from bot.runtime.care import Upkeep
from bot.runtime.clocks import Clocks
from bot.runtime.engine import Engine
from bot.runtime.live import Live
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Callbacks, Caller, Clock, Sender
from bot.runtime.reloading import Reloading
from bot.runtime.tidying import Keep
from bot.storage import KeyRing, Priority, Storage, Transaction, require_migrated, served_alone
from bot.web.server import admin, build, listening

log = structlog.get_logger(__name__)


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


def load_program(journeys: Path, content: Path, settings: Config) -> Program:
    """The journeys and contents in these folders, ready to run. AuthoringError: they have errors, all are told."""
    templates = {name for account in settings.channels.oa.values() for name in account.templates}
    webhooks = {name: target.recipient for name, target in settings.webhooks.items()}
    return program_of(authoring.load(journeys, content, templates=templates, webhooks=webhooks))


def program_of(loaded: authoring.Loaded) -> Program:
    """What was loaded, ready to run. AuthoringError: it has errors, all are told."""
    if loaded.library is None:
        raise AuthoringError(authoring.as_text(loaded.diagnostics, lang="zh"), hint="zhitu check")
    return compile_library(loaded.library)


def callbacks_of(settings: Config) -> dict[tuple[str, str], Callbacks]:
    """The receiving halves of all configured accounts, by channel and name."""
    found: dict[tuple[str, str], Callbacks] = {}
    for name, oa in settings.channels.oa.items():
        found["oa", name] = OaCallbacks(
            account=name,
            app_id=oa.app_id,
            token=oa.token.get_secret_value(),
            aes_keys=oa.aes_keys,
            mode=oa.mode,
        )
        if oa.mode == "plain":
            log.warning("plain_mode", account=name, why="its signature does not cover the body: use `safe`")
    for name, app in settings.channels.wecom.items():
        found["app", name] = AppCallbacks(
            account=name,
            corp_id=app.corp_id,
            agent_id=app.agent_id,
            token=app.token.get_secret_value(),
            aes_keys=app.aes_keys,
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTokens:
    """Where channels keep the access token of one account: in the database (delivery.md 3.11)."""

    storage: Storage
    channel: str
    account: str

    async def load(self) -> KeptToken:
        """What is kept now."""
        return await self.storage.read(lambda tx: tx.tokens.load(self.channel, self.account))

    async def lease(self, *, owner: str, lasts: timedelta) -> bool:
        """Whether `owner` alone may fetch a new token, for so long."""
        return await self.storage.write(
            Priority.URGENT, lambda tx: tx.tokens.lease(self.channel, self.account, owner=owner, lasts=lasts)
        )

    async def release(self, *, owner: str) -> None:
        """Give the lease back."""
        await self.storage.write(Priority.URGENT, lambda tx: tx.tokens.release(self.channel, self.account, owner=owner))

    async def swap(self, kept: KeptToken) -> bool:
        """Write `kept` over its own generation. False: there is another by now."""
        return await self.storage.write(Priority.URGENT, lambda tx: tx.tokens.swap(self.channel, self.account, kept))


def senders_of(settings: Config, wire: Wire, clock: Clock, storage: Storage) -> dict[tuple[str, str], Sender]:
    """The sending halves of all configured accounts, by channel and name."""
    found: dict[tuple[str, str], Sender] = {}
    for name, oa in settings.channels.oa.items():
        account = OaAccount(
            name=name,
            app_id=oa.app_id,
            secret=oa.secret.get_secret_value(),
            api_base=oa.api_base,
            template_ids=oa.template_ids,
        )
        found["oa", name] = OaSender(
            account=account, wire=wire, clock=clock, vault=KeptTokens(storage=storage, channel="oa", account=name)
        )
    for name, app in settings.channels.wecom.items():
        staff = AppAccount(
            name=name,
            corp_id=app.corp_id,
            agent_id=app.agent_id,
            secret=app.secret.get_secret_value(),
            api_base=app.api_base,
        )
        found["app", name] = AppSender(
            account=staff, wire=wire, clock=clock, vault=KeptTokens(storage=storage, channel="app", account=name)
        )
    return found


def targets_of(settings: Config) -> dict[str, Target]:
    """The systems that journeys may ask, by name."""
    return {
        name: Target(url=one.url, key=one.key.get_secret_value(), timeout_s=one.timeout_s)
        for name, one in settings.webhooks.items()
    }


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
    callbacks = callbacks_of(settings)
    application = build(callbacks=callbacks, lanes=engine.lanes, health=engine, clock=clock, metrics=metrics)
    operators = admin(health=engine, metrics=metrics)
    async with AsyncExitStack() as open_ports:
        try:
            port = await open_ports.enter_async_context(listening(application, host=server.host, port=server.port))
            admin_port = await open_ports.enter_async_context(
                listening(operators, host="127.0.0.1", port=server.admin_port)
            )
        except OSError as error:
            where = f"[server] {server.host}:{server.port}, admin_port {server.admin_port}"
            raise ConfigError([Complaint(where=where, what=f"cannot listen: {error.strerror}")]) from error
        yield port, admin_port


def _warn_of_templates(settings: Config) -> None:
    """A template without an id satisfies the checker and is passed over when its turn comes (DECISIONS.md)."""
    for name, account in settings.channels.oa.items():
        for template, template_id in account.templates.items():
            if not template_id:
                where = f"[channels.oa.{name}.templates]"
                log.warning("template_without_id", account=name, template=template, hint=f"write its id into {where}")


def warn_of_channels(program: Program, *, connected: Collection[str]) -> None:
    """Say which journeys wait for a channel that has no account: they are checked, and nobody enters them."""
    waiting: dict[str, list[str]] = {}
    for name, journey in program.library.journeys.items():
        if journey.channel not in connected:
            waiting.setdefault(journey.channel, []).append(name)
    for channel, names in sorted(waiting.items()):
        log.warning("channel_without_account", channel=channel, journeys=names, hint="they wait until it has one")


def reload_program(journeys: Path, content: Path, settings: Config, *, now: Callable[[], Declared]) -> Program:
    """Like `load_program`, while the product runs. `now`: what the configuration names by now.

    AuthoringError: the files have errors; it says too what the configuration got since the start, which takes a start
    to be in force. ConfigError: the configuration cannot be read any more.
    """
    try:
        return load_program(journeys, content, settings)
    except AuthoringError as error:
        named = now()
        known = {name for account in settings.channels.oa.values() for name in account.templates}
        late = [f"[webhooks.{name}]" for name in sorted(set(named.webhooks) - set(settings.webhooks))]
        late += [f"模板 {name}" for name in sorted(named.templates - known)]
        if not late:
            raise
        note = f"config.toml 在启动之后多了 {'、'.join(late)}：重启 zhitu run 才生效\n"
        raise AuthoringError(f"{error.what}{note}", hint=error.hint) from error


async def serve(settings: Config, journeys: Path, content: Path, *, now: Callable[[], Declared]) -> None:
    """`zhitu run`: serve until a signal says stop. `now`: what the configuration names by now."""
    program = load_program(journeys, content, settings)
    _warn_of_templates(settings)
    found = key_texts(settings.storage)
    if found.file is not None:
        log.warning("key_file", file=str(found.file), created=found.created, hint="back it up apart from the database")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    keys = KeyRing.from_texts(list(found.texts))
    warn_of_channels(program, connected=frozenset({"oa"} if settings.channels.oa else ()))
    async with running(settings, program, clock=MachineClock(), keys=keys) as product:
        reloading = Reloading(
            product.live,
            (journeys, content),
            lambda: reload_program(journeys, content, settings, now=now),
            taken=product.engine.wake,
        )
        looking = reloading.begin(stop)
        log.info("serving", port=product.port, admin_port=product.admin_port, release=program.library.release[:12])
        ends = [asyncio.create_task(stop.wait()), asyncio.create_task(product.lost.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in (*ends, looking):
            end.cancel()
        log.info("stopping")
    if product.lost.is_set():
        raise StorageError("另一个进程现在占用着这个数据库", hint="这一版一个数据库只能有一个服务器")


@asynccontextmanager
async def opened(settings: StorageSection) -> AsyncIterator[Storage]:
    """The database of the configuration, for a command beside the server, which is never migrated by it.

    BotError: there is none yet. OutOfDate: its schema is an older or a newer program's.
    """
    if settings.is_sqlite and not database_file(settings).exists():
        raise BotError(
            f"没有数据库 `{database_file(settings)}`", hint="用 --config 写服务器的配置文件；还没有运行过就没有数据库"
        )
    keys = KeyRing.from_texts(list(key_texts(settings).texts))
    await asyncio.to_thread(require_migrated, settings.url)
    storage = await Storage.open(settings.url, keys=keys, clock_now=MachineClock().now)
    try:
        yield storage
    finally:
        await storage.close()


async def explain(settings: StorageSection, customer: str, *, limit: int, as_json: bool) -> str:
    """`zhitu why`: the story of one customer, found by number, openid or phone.

    BotError: there is no such database, or nobody in it is known by that name.
    """

    def tell(tx: Transaction) -> why.Story | None:
        customer_id = tx.reading.find_customer(customer)
        return why.tell(tx, customer_id, limit=limit) if customer_id is not None else None

    async with opened(settings) as storage:
        story = await storage.read(tell)
    if story is None:
        raise BotError("没有这位客户", hint="可以用客户编号、openid 或手机号查找")
    return why.as_json(story) if as_json else why.as_text(story)
