"""The work behind `zhitu retry`, and its words. Apart from the options, so that other commands need not load it."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bot import config
from bot.app.accounts import callbacks_of
from bot.app.beside import opened
from bot.core.events import Json
from bot.runtime import retry, retry_errands, retry_spoilt
from bot.runtime.why import Wall
from bot.runtime.why.reasons import because, parked_because, unopened
from bot.storage import ErrandLine, OutboxLine, Priority, Quarantined, SpoiltRow, Transaction

T = TypeVar("T")
_NEXT_LOOK = "正在运行的服务最迟 30 秒内会处理"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What to print. `is_clean`: nothing is left that needs somebody."""

    text: str
    is_clean: bool = True


def listed(config_file: Path, *, as_json: bool) -> Told:
    """Everything that waits for an operator."""
    found = _read(config_file, retry.survey)
    return Told(text=_as_json(found) if as_json else _as_text(found), is_clean=found.is_empty)


def lanes_released(config_file: Path, customer: str) -> Told:
    """Let one lane go on, or with an empty name all of them."""

    def release(tx: Transaction) -> Sequence[retry.StillLane]:
        lanes = (retry.find_lane(tx, customer),) if customer else retry.survey(tx).lanes
        for one in lanes:
            retry.release(tx, one)
        return lanes

    rows = [f"泳道 {one.name} 接着处理，排队的事件 {one.held} 件" for one in _write(config_file, release)]
    return Told(text="\n".join([*rows, _NEXT_LOOK] if rows else ["没有停住的泳道"]))


def quarantine_read(config_file: Path, row: str) -> Told:
    """Read one quarantined callback again, or with an empty id all of them."""
    callbacks = callbacks_of(config.load(config_file, os.environ))

    def admit(tx: Transaction) -> list[tuple[Quarantined, str]]:
        rows = (retry.find_quarantined(tx, row),) if row else retry.survey(tx).quarantine
        return [(one, retry.admit(tx, one, callbacks)) for one in rows]

    done = _write(config_file, admit)
    rows = [f"{_short(one)} 仍然读不懂：{why}" if why else f"{_short(one)} 已进入泳道" for one, why in done]
    admitted = any(not why for _, why in done)
    text = "\n".join([*rows, *([_NEXT_LOOK] if admitted else [])] if rows else ["隔离区是空的"])
    return Told(text=text, is_clean=not any(why for _, why in done))


def sent_again(config_file: Path, effect: str) -> Told:
    """Let a message of unknown fate leave once more, or ask another system again."""

    def again(tx: Transaction) -> OutboxLine | ErrandLine:
        errand = retry_errands.find(tx, effect)
        if errand is not None:
            retry_errands.run_again(tx, errand)
            return errand
        line = retry.find_send(tx, effect)
        retry.send_again(tx, line)
        return line

    line = _write(config_file, again)
    if isinstance(line, ErrandLine):
        return Told(text=f"{line.effect.effect_id} 用同一个 Idempotency-Key 再请求一次；{_NEXT_LOOK}")
    return Told(text=f"{line.effect.effect_id} 再发一次（发送前再查一次规则）；{_NEXT_LOOK}")


def left(config_file: Path, effect: str) -> Told:
    """Leave a message, or what another system was asked, as it is."""

    def let_be(tx: Transaction) -> str:
        spoilt = retry_spoilt.leave(tx, effect)
        if spoilt is not None:
            dropped = spoilt.table == "quarantine"
            return f"{spoilt.name[: retry.ID_SHOWN]} 已丢弃" if dropped else f"{spoilt.name} 不再发送"
        errand = retry_errands.find(tx, effect)
        if errand is not None:
            retry_errands.leave(tx, errand)
            return f"{errand.effect.effect_id} 不再发送"
        line = retry.find_send(tx, effect)
        retry.leave(tx, line)
        return f"{line.effect.effect_id} 不再发送"

    return Told(text=f"{_write(config_file, let_be)}，也不再列出")


def clock_confirmed(config_file: Path) -> Told:
    """Declare the wall clock of the server right as it is now."""
    _write(config_file, lambda tx: tx.confirm_clock())
    return Told(text=f"已确认服务器时间正确；{_NEXT_LOOK}，/readyz 不再显示 clocks 即已生效，否则再确认一次")


def gaps_closed(config_file: Path, account: str) -> Told:
    """Close the gaps of an account about whose people nobody can be asked."""
    count = _write(config_file, lambda tx: retry.close_gaps(tx, account))
    return Told(text=f"{account} 的 {count} 个缺口不再列出；{_NEXT_LOOK}" if count else f"{account} 没有缺口")


def _read(config_file: Path, job: Callable[[Transaction], T]) -> T:
    async def look() -> T:
        async with opened(config.load_storage(config_file, os.environ)) as storage:
            return await storage.read(job)

    return asyncio.run(look())


def _write(config_file: Path, job: Callable[[Transaction], T]) -> T:
    async def act() -> T:
        async with opened(config.load_storage(config_file, os.environ)) as storage:
            return await storage.write(Priority.REST, job)

    return asyncio.run(act())


def _short(one: Quarantined) -> str:
    return one.quarantine_id[: retry.ID_SHOWN]


def _as_text(found: retry.Survey) -> str:
    if found.is_empty:
        return "没有等人处理的事"
    wall = Wall()
    parts = [
        _part("停住的泳道（zhitu retry lane 客户）", [_lane_words(one, wall) for one in found.lanes]),
        _part("隔离的回调（zhitu retry quarantine 编号）", [_quarantine_words(one, wall) for one in found.quarantine]),
        _part(
            "不知道是否送达的消息（zhitu retry send 编号，或 zhitu retry leave 编号）",
            [_send_words(one, wall) for one in found.sends],
        ),
        _part(
            "不知道是否做成的外部请求（zhitu retry send 编号，或 zhitu retry leave 编号）",
            [_errand_words(one, wall) for one in found.errands],
        ),
        _part(
            "打不开的记录（先恢复密钥；不要了：zhitu retry leave 编号）",
            [_spoilt_words(one, wall) for one in found.spoilt],
        ),
    ]
    if found.cut:
        parts.append(f"每类只列出 {retry.LISTED_MAX} 条，处理之后再看其余的")
    return "\n\n".join(part for part in parts if part)


def _part(title: str, rows: list[str]) -> str:
    return "\n".join([title, *(f"  {row}" for row in rows)]) if rows else ""


def _lane_words(one: retry.StillLane, wall: Wall) -> str:
    return f"{one.name}  {wall.moment(one.since)} 起  排队 {one.held} 件  {parked_because(one.reason)}"


def _quarantine_words(one: Quarantined, wall: Wall) -> str:
    return f"{_short(one)}  {one.channel}:{one.account}  {wall.moment(one.received_at)}  {one.why}"


def _send_words(one: OutboxLine, wall: Wall) -> str:
    at = one.started_at or one.planned_at
    why = because(one.reason, {}, wall)
    return f"{one.effect.effect_id}  客户 {one.customer_id}  {one.effect.content}  {wall.moment(at)}  {why}"


def _errand_words(one: ErrandLine, wall: Wall) -> str:
    at = one.started_at or one.planned_at
    return f"{one.effect.effect_id}  客户 {one.customer_id}  {one.effect.errand.name}  {wall.moment(at)}  {one.reason}"


def _spoilt_words(one: SpoiltRow, wall: Wall) -> str:
    name = one.name[: retry.ID_SHOWN] if one.table == "quarantine" else one.name
    whose = f"  客户 {one.lane}" if one.lane > 0 else ""
    return f"{name}  {one.table}{whose}  {one.what}  {wall.moment(one.at)}  {unopened(one.error)}"


def _as_json(found: retry.Survey) -> str:
    lanes: list[Json] = [
        {"lane": one.name, "since": one.since.isoformat(), "held": one.held, "reason": one.reason}
        for one in found.lanes
    ]
    quarantined: list[Json] = [
        {
            "id": one.quarantine_id,
            "account": f"{one.channel}:{one.account}",
            "since": one.received_at.isoformat(),
            "form": one.form,
            "reason": one.why,
        }
        for one in found.quarantine
    ]
    sends: list[Json] = [
        {
            "id": one.effect.effect_id,
            "customer": one.customer_id,
            "account": f"{one.effect.channel}:{one.effect.account}",
            "content": one.effect.content,
            "since": (one.started_at or one.planned_at).isoformat(),
            "reason": one.reason,
        }
        for one in found.sends
    ]
    errands: list[Json] = [
        {
            "id": one.effect.effect_id,
            "customer": one.customer_id,
            "name": one.effect.errand.name,
            "since": (one.started_at or one.planned_at).isoformat(),
            "reason": one.reason,
        }
        for one in found.errands
    ]
    unreadable: list[Json] = [
        {
            "id": one.name,
            "table": one.table,
            "customer": one.lane if one.lane > 0 else None,
            "since": one.at.isoformat(),
            "reason": one.error.what,
        }
        for one in found.spoilt
    ]
    whole: dict[str, Json] = {
        "lanes": lanes,
        "quarantine": quarantined,
        "sends": sends,
        "errands": errands,
        "unreadable": unreadable,
        "cut": found.cut,
    }
    return json.dumps(whole, ensure_ascii=False, indent=2)
