"""`zhitu emulator`: the platforms alone, for a product that runs in another process."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot import config
from bot.cli.options import CONFIG_FILE, CONTENT, JOURNEYS, ConfigFile, Content, Journeys

EMULATOR_PORT = 9001
DELIVERIES_MAX = 1000
RETRY_EVERY_S_MAX = 600.0


def emulator(
    *,
    config_file: ConfigFile = CONFIG_FILE,
    journeys: Journeys = JOURNEYS,
    content: Content = CONTENT,
    host: Annotated[str, typer.Option(help="监听地址，只能是本机 · loopback only")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口，0 为任意 · port, 0 for any")] = EMULATOR_PORT,
    control_token: Annotated[
        str, typer.Option(help="控制接口的口令，不写则随机 · token of /_emulator/, drawn unless given")
    ] = "",
    callback: Annotated[
        str, typer.Option(metavar="URL", help="产品的地址，不写则按配置 · where the product listens")
    ] = "",
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="往来全部写入此文件 · all traffic, durable")
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="一开始就生效的故障 · a fault script"),
    ] = None,
    merge: Annotated[
        Literal["strict", "max"], typer.Option(help="可回复次数怎样合并 · how reply quotas merge")
    ] = "strict",
    retry_signature: Annotated[
        Literal["fresh", "same"], typer.Option(help="重投时签名 · signature of a redelivery")
    ] = "fresh",
    retry_every: Annotated[
        float, typer.Option(min=0, max=RETRY_EVERY_S_MAX, help="重投间隔，秒 · seconds between deliveries")
    ] = 5.0,
    deliveries: Annotated[
        int, typer.Option(min=1, max=DELIVERIES_MAX, help="最多投递几次 · deliveries of one callback")
    ] = 3,
) -> None:
    """单独运行平台模拟器 · The emulator of both platforms alone, on this machine only."""
    settings = config.load(config_file, os.environ)
    from bot.app.programs import load_program
    from bot.sandbox.emulator import Conduct
    from bot.sandbox.standalone import Orders, serve

    conduct = Conduct(
        merge=merge, retry_signature=retry_signature, retry_every_s=retry_every, deliveries_max=deliveries
    )
    orders = Orders(
        host=host,
        port=port,
        control_token=control_token,
        log=log,
        faults=faults,
        callback=callback,
        conduct=conduct,
    )
    asyncio.run(serve(settings, load_program(journeys, content, settings), orders))
