"""The phone page's HTTP, without a browser."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from bot.core.events import Json
from bot.sandbox.phone.actions import TEXT_LENGTH_MAX, TURN_SECONDS_MAX
from bot.sandbox.phone.page import BODY_BYTES_MAX

from .play import Play, served


@pytest.fixture
def play() -> Play:
    return Play()


@pytest_asyncio.fixture
async def client(play: Play) -> AsyncIterator[ClientSession]:
    async with served(play) as address, ClientSession(address) as session:
        yield session


async def refused(client: ClientSession, action: Mapping[str, Json]) -> str:
    async with client.post("/phone/act", json=action) as response:
        assert response.status == 400
        return str((await response.json())["error"])


async def test_the_page_and_all_that_it_names_are_served_under_a_strict_policy(client: ClientSession) -> None:
    async with client.get("/phone") as response:
        assert response.status == 200
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert 'data-testid="stage"' in await response.text()
    for name in ("phone.js", "dom.js", "page.css", "chat.css", "inside.css", "avatar-app.svg"):
        async with client.get(f"/phone/static/{name}") as response:
            assert response.status == 200


@pytest.mark.parametrize("name", ["page.py", "..%2Fpage.py", "nothing.js"])
async def test_no_other_file_is_served(client: ClientSession, name: str) -> None:
    async with client.get(f"/phone/static/{name}") as response:
        assert response.status == 404


async def test_a_snapshot_comes_at_once_to_who_has_none(play: Play, client: ClientSession) -> None:
    async with client.get("/phone/snapshot?openid=o0&after=-1") as response:
        body = await response.json()
    assert body["change"] == 0
    assert body["snapshot"]["buyer"] == {"openid": "o0", "name": "林女士", "following": False, "bubbles": []}
    assert body["snapshot"]["clock"] == "2026-12-01T01:30:00+00:00"


async def test_a_snapshot_waits_for_a_change(play: Play, client: ClientSession) -> None:
    async def ask() -> int:
        async with client.get("/phone/snapshot?openid=o0&after=0") as response:
            return int((await response.json())["change"])

    asking = asyncio.create_task(ask())
    await play.asked.wait()
    assert not asking.done()
    await play.show(play.shown)
    assert await asking == 1


async def test_a_buyer_nobody_knows_is_404(client: ClientSession) -> None:
    async with client.get("/phone/snapshot?openid=nobody&after=-1") as response:
        assert (response.status, await response.json()) == (404, {"error": "没有这位买家"})


@pytest.mark.parametrize(
    "query", ["", "?openid=o0", "?openid=&after=1", "?openid=o0&after=x", f"?openid=o0&after={10**20}"]
)
async def test_a_question_without_buyer_or_number_is_400(client: ClientSession, query: str) -> None:
    async with client.get(f"/phone/snapshot{query}") as response:
        assert response.status == 400


async def test_waiting_requests_are_let_go_when_the_server_closes(play: Play) -> None:
    async with ClientSession() as session:
        async with served(play) as address:
            waiting = asyncio.create_task(session.get(f"{address}/phone/snapshot?openid=o0&after=0"))
            await play.asked.wait()
        response = await waiting
        assert (response.status, await response.json()) == (503, {"error": "演示正在关闭"})


async def test_an_action_reaches_the_stage_complete(play: Play, client: ClientSession) -> None:
    async with client.post("/phone/act", json={"do": "new_buyer"}) as response:
        assert (response.status, await response.json()) == (200, {"openid": "o1"})
    assert play.acts == [{"do": "new_buyer", "openid": ""}]


async def test_what_the_stage_cannot_do_is_409_with_its_reason(play: Play, client: ClientSession) -> None:
    play.refusal = "这位买家没有关注"
    async with client.post("/phone/act", json={"do": "unfollow", "openid": "o0"}) as response:
        assert (response.status, await response.json()) == (409, {"error": "这位买家没有关注"})


async def test_a_text_too_long_is_refused_with_the_limit(play: Play, client: ClientSession) -> None:
    error = await refused(client, {"do": "say", "openid": "o0", "text": "车" * (TEXT_LENGTH_MAX + 1)})
    assert error == f"内容太长，最多 {TEXT_LENGTH_MAX} 字（`text`）"
    assert play.acts == []


async def test_an_empty_text_is_refused(client: ClientSession) -> None:
    assert await refused(client, {"do": "say", "openid": "o0", "text": ""}) == "内容不能为空（`text`）"


@pytest.mark.parametrize("seconds", [0, -5, TURN_SECONDS_MAX + 1])
async def test_the_clock_turns_only_forward_and_not_too_far(client: ClientSession, seconds: int) -> None:
    error = await refused(client, {"do": "turn", "openid": "o0", "seconds": seconds})
    assert error == "时间只能往前拨，一次最多 31 天"


@pytest.mark.parametrize(
    "action",
    [{}, {"do": "fly", "openid": "o0"}, {"do": "follow"}, {"do": "follow", "openid": "o0", "extra": 1}],
)
async def test_an_unknown_action_is_refused(play: Play, client: ClientSession, action: Mapping[str, Json]) -> None:
    assert (await refused(client, action)).startswith("请求不合格")
    assert play.acts == []


async def test_a_body_that_is_no_json_is_refused(client: ClientSession) -> None:
    async with client.post("/phone/act", data=b"{", headers={"Content-Type": "application/json"}) as response:
        assert (response.status, await response.json()) == (400, {"error": "请求不是合法的 JSON"})


async def test_a_body_too_large_is_413(play: Play, client: ClientSession) -> None:
    body = b" " * (BODY_BYTES_MAX + 1)
    async with client.post("/phone/act", data=body, headers={"Content-Type": "application/json"}) as response:
        assert response.status == 413
    assert play.acts == []


async def test_a_form_of_another_site_cannot_act(play: Play, client: ClientSession) -> None:
    async with client.post(
        "/phone/act", data=b'{"do":"new_buyer"}', headers={"Content-Type": "text/plain"}
    ) as response:
        assert response.status == 415
    assert play.acts == []
