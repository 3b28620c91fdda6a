"""`zhitu demo`: the whole product on this machine, with a phone page, without an account."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from bot.app.programs import warn_of_channels
from bot.errors import BotError
from bot.sandbox.clock import VirtualClock, machine_now, opening_time
from bot.sandbox.phone.page import install
from bot.sandbox.stage import DemoStage
from bot.sandbox.world import world
from bot.web.server import listening

HOST = "127.0.0.1"
WELCOME = """
  智途演示已启动，请用浏览器打开：

      http://{host}:{port}/phone

  左边是客户的微信，右边是顾问的企业微信，中间是旅程和每个决定的原因。
  数据只在本次演示中存在。按 Ctrl-C 结束。
"""


async def serve(config_file: Path, journeys: Path, content: Path, *, port: int) -> None:
    """Serve the phone page until a signal says stop. The clock runs with real time and can be turned forward.

    BotError: the port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with world(
        config_file, journeys, content, clock=VirtualClock(opening_time(machine_now()), flowing=True)
    ) as stage:
        warn_of_channels(stage.product.live.program, connected=frozenset({"oa"}))
        looking = stage.reloading.begin(stop) if stage.reloading else None
        page = web.Application()
        install(page, DemoStage(world=stage))
        page.router.add_get("/", _to_phone)
        try:
            async with listening(page, host=HOST, port=port) as open_port:
                sys.stdout.write(WELCOME.format(host=HOST, port=open_port))
                sys.stdout.flush()
                await stop.wait()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise BotError(f"端口 {port} 打不开：{why}", hint="换一个：zhitu demo --port 0") from error
        finally:
            if looking is not None:
                looking.cancel()


async def _to_phone(_: web.Request) -> web.Response:
    raise web.HTTPFound("/phone")
