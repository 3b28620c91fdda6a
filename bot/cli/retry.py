"""`zhitu retry`: what waits for an operator, and acting on it. Works beside a running server and without one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from bot.cli.failures import FINDINGS
from bot.cli.options import CONFIG_FILE
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.cli.deciding import Told

AnyConfig: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", exists=True, dir_okay=False, help="配置文件 · the configuration"),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="供程序读取 · for programs")]
All: TypeAlias = Annotated[bool, typer.Option("--all", help="全部 · all of them")]
EffectId: TypeAlias = Annotated[str, typer.Argument(metavar="EFFECT_ID", help="清单里的消息编号 · id of the message")]

app = typer.Typer(
    help="等人处理的事：停住的泳道、隔离的回调、不知道是否送达的消息 · What waits for an operator, and acting on it.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def survey(context: typer.Context, *, config_file: AnyConfig = None, as_json: AsJson = False) -> None:
    """等人处理的事，一次列全；加子命令来处理 · What waits for an operator; the subcommands act on it.

    退出码：0 没有，1 有，2 无法查看。Exit codes: 0 nothing, 1 something, 2 cannot look.
    """
    context.obj = config_file
    if context.invoked_subcommand is None:
        from bot.cli import deciding

        _tell(deciding.listed(_config(context, None), as_json=as_json))


@app.command()
def lane(
    context: typer.Context,
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="客户编号、openid、手机号，或账号 oa:main · whose lane")
    ] = "",
    *,
    config_file: AnyConfig = None,
    every: All = False,
) -> None:
    """让停住的泳道从原处接着处理（先修好程序）· Let a parked lane go on where it stopped, once the bug is mended."""
    from bot.cli import deciding

    _one_or_all(customer, every=every)
    _tell(deciding.lanes_released(_config(context, config_file), customer))


@app.command()
def quarantine(
    context: typer.Context,
    row: Annotated[str, typer.Argument(metavar="ID", help="清单里的编号，可只写开头 · id, or its beginning")] = "",
    *,
    config_file: AnyConfig = None,
    every: All = False,
) -> None:
    """重新解读隔离的回调，读懂的进入泳道 · Read quarantined callbacks again; what can be read goes into its lane.

    退出码：0 都读懂了，1 还有读不懂的，2 无法处理。Exit codes: 0 all were read, 1 some were not, 2 cannot run.
    """
    from bot.cli import deciding

    _one_or_all(row, every=every)
    _tell(deciding.quarantine_read(_config(context, config_file), row))


@app.command()
def send(context: typer.Context, effect: EffectId, *, config_file: AnyConfig = None) -> None:
    """再发一次不知道是否送达的消息 · Send a message of unknown fate once more. The contact policy is asked again."""
    from bot.cli import deciding

    _tell(deciding.sent_again(_config(context, config_file), effect))


@app.command()
def leave(context: typer.Context, effect: EffectId, *, config_file: AnyConfig = None) -> None:
    """不再发这条消息，也不再列出它 · Leave a message of unknown fate as it is and list it no more."""
    from bot.cli import deciding

    _tell(deciding.left(_config(context, config_file), effect))


@app.command()
def clock(context: typer.Context, *, config_file: AnyConfig = None) -> None:
    """时钟跳变后，确认服务器现在的时间正确，定时恢复 · Declare the server's clock right as it is: timers fire again."""
    from bot.cli import deciding

    _tell(deciding.clock_confirmed(_config(context, config_file)))


@app.command()
def gap(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="账号，如 app:main · the account, as app:main")],
    *,
    config_file: AnyConfig = None,
) -> None:
    """不再列出企业微信应用漏收回调的时段 · List the gaps of an application's callbacks no more."""
    from bot.cli import deciding

    _tell(deciding.gaps_closed(_config(context, config_file), account))


def _tell(told: "Told") -> None:
    typer.echo(told.text)
    if not told.is_clean:
        raise typer.Exit(FINDINGS)


def _one_or_all(name: str, *, every: bool) -> None:
    if bool(name) == every:
        raise BotError("要么写明是哪一个，要么写 --all", hint="zhitu retry 列出全部")


def _config(context: typer.Context, given: Path | None) -> Path:
    """The configuration that the subcommand names, else the one before it, else the usual one."""
    before: object = context.obj
    found = given or (before if isinstance(before, Path) else CONFIG_FILE)
    if not found.is_file():
        raise BotError(f"文件 “{found}” 不存在", hint="用 --config 指出配置文件")
    return found
