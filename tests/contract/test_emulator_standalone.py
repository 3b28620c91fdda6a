"""`zhitu emulator` as a process of its own, with the accounts of a configuration."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.app.programs import load_program
from bot.config import Config
from bot.core.program import Program
from bot.errors import BotError
from bot.sandbox.standalone import Orders, serve

from .emulator_rig import AES_KEY, BUYER, Receiver, receiving

ROOT = Path(__file__).parents[2]
TOKEN = "let-me-in"
ACCOUNTS = {
    "OA_APP_ID": "wxmain",
    "OA_SECRET": "oa-secret",
    "OA_TOKEN": "oaToken1",
    "OA_AES_KEY": AES_KEY,
    "WECOM_CORP_ID": "wwmain",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "app-secret",
    "WECOM_TOKEN": "appToken1",
    "WECOM_AES_KEY": AES_KEY,
}


async def begun(*options: str, environ: dict[str, str] | None = None) -> asyncio.subprocess.Process:
    """The command, started with the shipped configuration, journeys and contents."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "emulator", *options,
        cwd=ROOT, env=ACCOUNTS if environ is None else environ,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@dataclass(kw_only=True)
class Alone:
    """A running emulator, what it told, and the server that takes its callbacks."""

    told: dict[str, str]
    receiver: Receiver
    http: aiohttp.ClientSession

    async def control(self, path: str, body: object = None) -> tuple[int, str]:
        method, raw = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.http.request(
            method, f"{self.told['address']}/_emulator/{path}", data=raw, headers=headers
        ) as got:
            return got.status, await got.text()


@asynccontextmanager
async def alone(*options: str) -> AsyncIterator[Alone]:
    async with receiving() as receiver, aiohttp.ClientSession() as http:
        fixed = ("--port", "0", "--control-token", TOKEN, "--callback", receiver.url)
        process = await begun(*fixed, *options)
        assert process.stdout is not None
        try:
            told = json.loads(await process.stdout.readline())
            yield Alone(told=told, receiver=receiver, http=http)
        finally:
            process.terminate()
            _, said = await process.communicate()
        assert (process.returncode, "平台模拟器已启动" in said.decode()) == (0, True)


async def test_a_product_elsewhere_finds_both_platforms_its_control_and_a_durable_log(tmp_path: Path) -> None:
    log, faults = tmp_path / "log.jsonl", tmp_path / "faults.json"
    faults.write_text('{"faults": [{"id": "first", "on": "callback", "what": "duplicate", "count": 1}]}')
    async with alone("--log", str(log), "--faults", str(faults)) as ours:
        assert sorted(ours.told) == ["address", "callback", "control_token", "oa", "wecom"]
        assert (ours.told["control_token"], ours.told["callback"]) == (TOKEN, ours.receiver.url)
        async with ours.http.get(f"{ours.told['address']}/_emulator/state") as refused:
            assert refused.status == 401
        assert (await ours.control("act", {"do": "follow", "openid": BUYER}))[0] == 200
        await ours.receiver.until(2)
        assert {one.path for one in ours.receiver.received} == {"/callback/oa/main"}
        query = {"grant_type": "client_credential", "appid": "wxmain", "secret": "oa-secret"}
        async with ours.http.post(f"{ours.told['oa']}/cgi-bin/stable_token", json=query) as reply:
            assert (await reply.json())["expires_in"] == 7200
        corp = {"corpid": "wwmain", "corpsecret": "app-secret"}
        async with ours.http.get(f"{ours.told['wecom']}/cgi-bin/gettoken", params=corp) as reply:
            assert (await reply.json())["errcode"] == 0
        assert (await ours.control("clock", {"advance_s": 86_400}))[0] == 200
        state = json.loads((await ours.control("state"))[1])
        assert state["wecom"]["main"]["members"]
        assert state["faults"]["first"]["hits"] == 1
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["direction"] for line in lines} == {"act", "out", "in", "note"}


def configured(port: int = 8080) -> tuple[Config, Program]:
    """A configuration and the shipped journeys."""
    templates = {"留资进度": "", "试驾提醒": "", "爽约关怀": ""}
    account = {"app_id": "wxmain", "secret": "s", "token": "t", "aes_key": AES_KEY, "templates": templates}
    settings = Config.model_validate({"server": {"port": port}, "channels": {"oa": {"main": account}}})
    return settings, load_program(ROOT / "journeys", ROOT / "content", settings)


@pytest.mark.parametrize(
    ("orders", "said"),
    [
        (Orders(host="0.0.0.0"), "不是本机地址"),
        (Orders(host="::"), "不是本机地址"),
        (Orders(host="emulator.example"), "不是本机地址"),
        (Orders(callback="http://192.0.2.1:80"), "不是本机的地址"),
        (Orders(callback="https://127.0.0.1:80"), "不是本机的地址"),
        (Orders(callback="http://127.0.0.1:80/callback"), "不是本机的地址"),
        (Orders(callback="http://["), "不是本机的地址"),
    ],
)
async def test_it_serves_and_calls_this_machine_only(orders: Orders, said: str) -> None:
    with pytest.raises(BotError, match=said):
        await serve(*configured(), orders)


async def test_a_product_on_an_unknown_port_must_be_named() -> None:
    with pytest.raises(BotError, match=r"server\.port"):
        await serve(*configured(port=0), Orders())


async def test_a_script_with_mistakes_ends_the_start_with_all_of_them(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"faults": [{"id": "a", "on": "call", "what": "fly"}], "colour": 1}')
    with pytest.raises(BotError, match=r"faults\.0\.what.*colour"):
        await serve(*configured(), Orders(faults=faults, log=tmp_path / "log"))
    assert not (tmp_path / "log").exists()


async def test_an_account_without_its_secrets_is_told_before_anything_starts() -> None:
    process = await begun("--port", "0", environ={})
    _, told = await process.communicate()
    assert (process.returncode, "OA_SECRET" in told.decode()) == (2, True)
