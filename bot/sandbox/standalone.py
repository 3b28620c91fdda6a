"""`zhitu emulator`: both platforms in a process of their own, for a product that runs elsewhere on this machine."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from bot.app.composition import MachineClock
from bot.config import Config, OfficialAccount, StaffApp, is_loopback
from bot.core.program import Program
from bot.errors import BotError
from bot.sandbox.clock import VirtualClock
from bot.sandbox.emulator import (
    Conduct,
    Emulator,
    EmulatorSettings,
    OaSettings,
    Surroundings,
    Template,
    WecomSettings,
)
from bot.sandbox.emulator.fault_script import read_script

HOST = "127.0.0.1"
WELCOME = """
  平台模拟器已启动（公众号 + 企业微信自建应用），按 Ctrl-C 结束。

      两个平台      {address}
      只有公众号    {oa}
      只有企业微信  {wecom}

  让产品连过来：把 config.toml 里的 api_base 改成上面的地址，再启动 zhitu run。
  回调送到 {callback}。
  控制接口 {address}/_emulator/，请求头 Authorization: Bearer {control_token}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How a stand-alone emulator is started.

    `callback`: where the product listens, without a path; empty: where the configuration says. `log`: the file of
    everything that crosses the border. `faults`: a fault script that is in force from the start.
    """

    host: str = HOST
    port: int = 0
    control_token: str = field(default="", repr=False)
    log: Path | None = None
    faults: Path | None = None
    callback: str = ""
    conduct: Conduct = field(default_factory=Conduct)


async def serve(settings: Config, program: Program, orders: Orders) -> None:
    """Play both platforms until a signal says stop.

    The first line of standard output is one JSON object: `address` (both platforms and the control interface), `oa`
    and `wecom` (each alone), `control_token`, `callback`. Its clock runs with real time; turning it moves windows,
    quotas and tokens only. BotError: an address that is not of this machine, a port that is taken, a wrong script.
    """
    _check_host(orders.host)
    callback = _callback(settings, orders)
    faults = read_script(orders.faults.read_bytes()) if orders.faults is not None else None
    emulator = _emulator(settings, program, orders)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        if faults is not None:
            await emulator.put_in_force(faults)
        await _open(emulator, orders)
        _connect(emulator, settings, callback)
        _tell(emulator, callback)
        await stop.wait()
    finally:
        await emulator.stop()


def _emulator(settings: Config, program: Program, orders: Orders) -> Emulator:
    clock = VirtualClock(flowing=True)
    try:
        return Emulator(
            settings=emulated(settings, program, orders.conduct),
            clock=clock,
            log_path=orders.log,
            control_token=orders.control_token,
            # Callbacks are signed for the time that the product has, however far the windows were turned.
            surroundings=Surroundings(turning=clock, stamps=MachineClock()),
        )
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise BotError(f"日志文件 `{orders.log}` 打不开：{why}") from error


def _check_host(host: str) -> None:
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise BotError(f"`{host}` 不是本机地址：模拟器只给本机用", hint="--host 127.0.0.1")


async def _open(emulator: Emulator, orders: Orders) -> None:
    try:
        await emulator.start(orders.host, orders.port)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise BotError(f"端口 {orders.port} 打不开：{why}", hint="换一个：zhitu emulator --port 0") from error


def emulated(settings: Config, program: Program, conduct: Conduct) -> EmulatorSettings:
    """The platforms' side of the accounts in `settings`; their members are those of the journeys.

    BotError: an account cannot be emulated as it is written.
    """
    channels = settings.channels
    try:
        return EmulatorSettings(
            oa=tuple(_oa(name, account) for name, account in channels.oa.items()),
            wecom=tuple(_wecom(name, app, program) for name, app in channels.wecom.items()),
            conduct=conduct,
        )
    except ValueError as error:
        raise BotError(f"配置里的账号无法模拟：{error}") from error


def _oa(name: str, account: OfficialAccount) -> OaSettings:
    keys = account.aes_keys
    return OaSettings(
        name=name,
        app_id=account.app_id,
        secret=account.secret.get_secret_value(),
        token=account.token.get_secret_value(),
        aes_key=keys[0] if keys else "",
        gh_id=f"gh_{name}",
        mode=account.mode,
        templates=tuple(
            Template(template_id=template_id, title=title) for title, template_id in account.template_ids.items()
        ),
    )


def _wecom(name: str, app: StaffApp, program: Program) -> WecomSettings:
    return WecomSettings(
        name=name,
        corp_id=app.corp_id,
        agent_id=app.agent_id,
        secret=app.secret.get_secret_value(),
        token=app.token.get_secret_value(),
        aes_key=app.aes_keys[0],
        members={one.staff_id: one.name for one in program.library.members if one.account == name},
    )


def _callback(settings: Config, orders: Orders) -> str:
    server = settings.server
    if not orders.callback:
        if server.port == 0:
            raise BotError(
                "config.toml 的 server.port 是 0，不知道产品在哪个端口", hint="--callback http://127.0.0.1:端口"
            )
        return f"http://{_reachable(server.host)}:{server.port}"
    try:
        parts = urlsplit(orders.callback)
        sound = parts.scheme == "http" and is_loopback(parts.hostname or "") and parts.path in ("", "/")
    except ValueError:
        sound = False
    if not sound:
        raise BotError(f"`{orders.callback}` 不是本机的地址", hint="--callback http://127.0.0.1:8080，不带路径")
    return orders.callback.rstrip("/")


def _reachable(host: str) -> str:
    """Where this machine finds a server that listens at `host`: at itself, when that is every address."""
    return host if is_loopback(host) else HOST


def _connect(emulator: Emulator, settings: Config, callback: str) -> None:
    for name in settings.channels.oa:
        emulator.set_callback("oa", name, f"{callback}/callback/oa/{name}")
    for name in settings.channels.wecom:
        emulator.set_callback("wecom", name, f"{callback}/callback/wecom/{name}")


def _tell(emulator: Emulator, callback: str) -> None:
    told = {
        "address": emulator.base_url(),
        "oa": emulator.base_url("oa"),
        "wecom": emulator.base_url("wecom"),
        "control_token": emulator.control_token,
        "callback": callback,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    sys.stderr.write(WELCOME.format(**told))
    sys.stderr.flush()
