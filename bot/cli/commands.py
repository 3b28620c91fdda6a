"""The commands of `zhitu`. Each one reads its options, calls the layer that does the work, and ends."""

import asyncio
import io
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from bot import config
from bot.cli import failures, retry
from bot.cli.bench import BENCH_OPTIONS, bench
from bot.cli.check import check
from bot.cli.emulator import emulator
from bot.cli.options import CONFIG_FILE, CONTENT, JOURNEYS, ConfigFile, Content, Journeys, LogForm
from bot.cli.preview import preview
from bot.cli.trials import paths, play
from bot.errors import BotError
from bot.runtime import logs

DEMO_PORT = 8088
_WHY_LIMIT = 50
_WHY_LIMIT_MAX = 1000

# Each command imports what it runs when it runs: `zhitu check` need not wait for the database and the web server.
app = typer.Typer(
    name="zhitu",
    help="智途：车企微信私域的旅程引擎 · An engagement engine for carmakers on WeChat and WeCom.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with 0, 1, 2 or, interrupted, 130. `arguments`: those of the process unless given."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its number, not the end of the program.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(args=arguments, prog_name="zhitu", standalone_mode=False)
    except typer.TyperException as fault:
        failures.show_usage(fault)
        sys.exit(failures.CANNOT_RUN)
    except BotError as error:
        failures.show(error)
        sys.exit(failures.exit_code(error))
    sys.exit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def _root(*, show_version: Annotated[bool, typer.Option("--version", help="版本 · the version")] = False) -> None:
    if show_version:
        typer.echo(f"zhitu {version('zhitu')}")
        raise typer.Exit


def _log(form: LogForm) -> None:
    if form == "auto":
        form = "console" if sys.stderr.isatty() else "json"
    logs.configure(form)


@app.command()
def demo(
    *,
    config_file: ConfigFile = CONFIG_FILE,
    journeys: Journeys = JOURNEYS,
    content: Content = CONTENT,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="手机页端口，0 为任意 · port of the phone page")
    ] = DEMO_PORT,
) -> None:
    """在本机演示：不需要任何账号 · The whole product on this machine, without an account."""
    from bot.sandbox.demo import serve

    logs.configure("console")
    asyncio.run(serve(config_file, journeys, content, port=port))


@app.command()
def run(
    *,
    config_file: ConfigFile = CONFIG_FILE,
    journeys: Journeys = JOURNEYS,
    content: Content = CONTENT,
    log: LogForm = "auto",
) -> None:
    """用真实账号运行 · Run with the accounts of the configuration."""
    settings = config.load(config_file, os.environ)
    from bot.app.serving import serve

    _log(log)
    asyncio.run(serve(settings, journeys, content, now=lambda: config.declared(config_file, os.environ)))


@app.command()
def talk(
    *,
    config_file: ConfigFile = CONFIG_FILE,
    journeys: Journeys = JOURNEYS,
    content: Content = CONTENT,
    as_json: Annotated[
        bool, typer.Option("--json", help="逐行输出 JSON，供程序使用 · one JSON object a line, for programs")
    ] = False,
    journey: Annotated[
        Path | None,
        typer.Option(
            "--journey", metavar="FILE", exists=True, dir_okay=False, help="只驱动这个旅程文件 · drive this file"
        ),
    ] = None,
    events: Annotated[
        bool,
        typer.Option(
            "--events",
            help="和 --journey 一起：逐行读 JSON 事件，逐行写状态 · JSON events in, states out",
        ),
    ] = False,
) -> None:
    """在终端里扮演客户 · Play the buyer in a terminal: lines are messages, `/help` lists the commands."""
    logs.configure("console", level=logging.WARNING)
    if events != (journey is not None):
        raise typer.BadParameter("--journey 和 --events 要一起用")
    if journey is not None:
        from bot.sandbox.driving import drive

        asyncio.run(drive(journey, journeys, content))
        return
    from bot.sandbox.talk import talk as converse

    asyncio.run(converse(config_file, journeys, content, as_json=as_json))


@app.command()
def why(
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="客户编号、openid 或手机号 · id, openid or phone")
    ],
    *,
    config_file: ConfigFile = CONFIG_FILE,
    limit: Annotated[
        int, typer.Option(min=1, max=_WHY_LIMIT_MAX, help="最近多少个事件 · how many of the latest events")
    ] = _WHY_LIMIT,
    as_json: Annotated[bool, typer.Option("--json", help="供程序读取 · for programs")] = False,
) -> None:
    """为什么客户收到或没收到 · Why a customer got something, or did not."""
    storage = config.load_storage(config_file, os.environ)
    from bot.app.beside import explain

    typer.echo(asyncio.run(explain(storage, customer, limit=limit, as_json=as_json)))


@app.command()
def migrate(config_file: ConfigFile = CONFIG_FILE) -> None:
    """把数据库升级到本版本 · Bring the database to this version of the program."""
    storage = config.load_storage(config_file, os.environ)
    from bot.storage import KeyRing
    from bot.storage import migrate as upgrade

    # Before there is a database: one without its keys could never be opened.
    KeyRing.from_texts(config.key_texts(storage).texts)
    before = upgrade(storage.url)
    typer.echo(f"数据库已是最新（原为 {before or '空库'}）· the database is up to date (it was {before or 'empty'})")


app.command()(check)
app.command("test")(play)
app.command()(paths)
app.command()(preview)
app.command(context_settings=BENCH_OPTIONS)(bench)
app.command()(emulator)
app.add_typer(retry.app, name="retry")
