"""`zhitu demo`: the whole product on this machine, with a phone page, without an account."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from aiohttp import web

from bot.app.programs import without_account
from bot.core.program import Program
from bot.errors import BotError
from bot.runtime.reloading import Outcome
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
WAITING = """
  演示里没有{channels}，这些旅程照样检查，但没有人能进入：{journeys}
"""
CHANNELS = {"kf": "微信客服", "wecom": "企业微信（客户联系）", "sms": "短信"}
REFUSED = """
  改动有错，仍用原来的旅程：

{report}
"""
RELOADED = """
  旅程已重新载入
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
        page, play = web.Application(), DemoStage(world=stage)
        looking = stage.reloading.begin(stop, told=partial(_tell_change, play)) if stage.reloading else None
        install(page, play)
        page.router.add_get("/", _to_phone)
        try:
            async with listening(page, host=HOST, port=port) as open_port:
                _say(WELCOME.format(host=HOST, port=open_port) + _waiting(stage.product.live.program))
                await stop.wait()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise BotError(f"端口 {port} 打不开：{why}", hint="换一个：zhitu demo --port 0") from error
        finally:
            if looking is not None:
                looking.cancel()


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _waiting(program: Program) -> str:
    """Which journeys nobody can enter here; empty: none."""
    waiting = without_account(program, connected={"oa"})
    channels = "、".join(CHANNELS.get(one, one) for one in waiting)
    journeys = "、".join(sorted(name for names in waiting.values() for name in names))
    return WAITING.format(channels=channels, journeys=journeys) if waiting else ""


def _tell_change(play: DemoStage, outcome: Outcome) -> None:
    play.files_changed()
    refused = play.world.reloading.refused if play.world.reloading else ""
    with suppress(OSError):  # a terminal that is gone: the page says it all the same
        if refused:
            _say(REFUSED.format(report=refused.rstrip()))
        elif outcome == "taken":
            _say(RELOADED)


async def _to_phone(_: web.Request) -> web.Response:
    raise web.HTTPFound("/phone")
