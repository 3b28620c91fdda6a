"""`zhitu retry`: what waits for an operator, and carrying out what the operator decided.

Every decision is one transaction, so it may be taken while a server runs on the same database: the server finds
the rows at its next look.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core import departure, ledger
from bot.core.events import Event
from bot.core.ids import CustomerId, EffectId
from bot.errors import BotError, Spoilt, Unreadable, Unsupported, Untrusted
from bot.runtime import retry_spoilt
from bot.runtime.decided import journal
from bot.runtime.ports import Callbacks
from bot.runtime.quarantine import read_back
from bot.runtime.why.reasons import unopened
from bot.storage import ErrandLine, Lane, OutboxLine, Parked, Quarantined, SpoiltRow, Transaction

LISTED_MAX = 200
"""Entries of one kind that are listed, and that `--all` takes at once; the rest wait for the next call."""
ID_SHOWN = 12
"""Characters of a quarantine id that are shown, and enough to name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillLane:
    """A lane that stands still. `account`: `oa:main` for the lane of an account. `held`: events that wait in it."""

    lane: Lane
    account: str
    reason: str
    since: datetime
    held: int

    @property
    def name(self) -> str:
        """What an operator types for it."""
        return self.account or str(self.lane)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Everything that waits for an operator, the oldest first. `cut`: there is more of at least one kind."""

    lanes: tuple[StillLane, ...]
    quarantine: tuple[Quarantined, ...]
    sends: tuple[OutboxLine, ...]
    cut: bool
    errands: tuple[ErrandLine, ...] = ()
    spoilt: tuple[SpoiltRow, ...] = ()
    """Messages, errands and callbacks that wait and do not open."""

    @property
    def is_empty(self) -> bool:
        return not (self.lanes or self.quarantine or self.sends or self.errands or self.spoilt)


def close_gaps(tx: Transaction, account: str) -> int:
    """Close the gaps of one account, as `app:main`, whose people nobody can be asked about. How many there were.

    BotError: it is an official account, whose gaps the server goes through itself.
    """
    if account.startswith("oa:"):
        raise BotError("公众号的缺口由服务自己向平台核对", hint="平台恢复后会自动继续；/readyz 显示还剩哪些")
    found = [gap for gap in tx.gaps.unreconciled() if f"{gap.channel}:{gap.account}" == account]
    for gap in found:
        tx.gaps.advance(gap, cursor=gap.cursor, reconciled_at=tx.now)
    return len(found)


def survey(tx: Transaction) -> Survey:
    """What waits for an operator now."""
    lanes = tuple(_still(tx, parked) for parked in tx.reading.all_parked(limit=LISTED_MAX))
    quarantine, sends = tx.deciding.quarantined(LISTED_MAX), tx.deciding.undecided(LISTED_MAX)
    errands = tx.errands.undecided(LISTED_MAX)
    spoilt = tx.spoilt.take()
    closed = Counter(row.table for row in spoilt)
    rows = (
        len(lanes),
        len(quarantine) + closed["quarantine"],
        len(sends) + closed["outbox"],
        len(errands) + closed["errands"],
    )
    cut = max(rows) >= LISTED_MAX
    return Survey(lanes=lanes, quarantine=quarantine, sends=sends, cut=cut, errands=errands, spoilt=spoilt)


def find_lane(tx: Transaction, words: str) -> StillLane:
    """The parked lane of a customer (number, openid or phone) or an account (`oa:main`). BotError: there is none."""
    channel, _, account = words.partition(":")
    lane: Lane | CustomerId | None = tx.deciding.account_lane(channel, account) if account else None
    lane = lane if lane is not None else tx.reading.find_customer(words)
    if lane is None:
        raise BotError(
            "没有这位客户", hint="可以用客户编号、openid、手机号，或账号（如 oa:main）；zhitu retry 列出全部"
        )
    parked = tx.reading.parked_of(lane)
    if parked is None:
        raise BotError("这条泳道没有停住", hint="zhitu retry 列出停住的泳道")
    return _still(tx, parked)


def release(tx: Transaction, lane: StillLane) -> None:
    """Let a lane go on with the very event it stopped at; the journal tells who let it.

    What of it did not open is tried again: if it still does not, the lane stops again. Her messages leave after
    what she wrote meanwhile was stepped, which may take them back.
    """
    tx.lanes.unpark(lane.lane)
    if lane.lane > 0:
        tx.spoilt.give_back(CustomerId(lane.lane))
        tx.outbox.hold_back(CustomerId(lane.lane))
        journal(tx, CustomerId(lane.lane), decision="unpark", reason=lane.reason, held=lane.held)


def find_quarantined(tx: Transaction, words: str) -> Quarantined:
    """The row whose id begins with `words`. BotError: none does, or several."""
    found = tx.deciding.find_quarantined(words.lower()) if words.isalnum() else ()
    if len(found) == 1:
        return found[0]
    retry_spoilt.refuse(tx)
    what = "有几条隔离的编号都这样开头" if found else "隔离区里没有这个编号"
    raise BotError(what, where=words, hint="zhitu retry 列出全部编号")


def reread(row: Quarantined, callbacks: Mapping[tuple[str, str], Callbacks]) -> Sequence[Event]:
    """The events in a quarantined row, decoded by the program as it is now.

    Unreadable: still not, or its account is not configured. Untrusted, Unsupported: what it is after all.
    """
    if row.form == "event":
        return (read_back(row),)
    account = callbacks.get((row.channel, row.account))
    if account is None:
        raise Unreadable("its account is not configured any more", body=b"")
    return account.reread(row.body)


def admit(tx: Transaction, row: Quarantined, callbacks: Mapping[tuple[str, str], Callbacks]) -> str:
    """Take a row out of quarantine into the lanes, as if it came now; why it stays, empty when it does not.

    Events that came in some other way meanwhile are known by their id and come in only once.
    """
    try:
        events = (tx.lanes.unsealed(row),) if row.form == "sealed" else reread(row, callbacks)
    except Unsupported:
        events = ()
    except Spoilt as error:
        return unopened(error)
    except (Unreadable, Untrusted) as error:
        return error.what
    tx.lanes.ingest(events, received_at=row.received_at)
    tx.lanes.take_from_quarantine(row.quarantine_id)
    return ""


def find_send(tx: Transaction, words: str) -> OutboxLine:
    """The message with this id, whose fate is unknown. BotError: there is none, or its fate is known."""
    line = tx.outbox.of(EffectId(words.strip().upper()))
    retry_spoilt.refuse(tx)
    if line is None:
        raise BotError("没有这条消息", where=words, hint="zhitu retry 列出不知道是否送达的消息")
    if line.state != "unknown":
        raise BotError(
            f"这条消息的状态是 {line.state}，不是 unknown", where=words, hint="zhitu why 客户 说明它的来龙去脉"
        )
    return line


def send_again(tx: Transaction, line: OutboxLine) -> None:
    """Let the message leave once more; the contact policy is asked again before it does.

    BotError: it is too late for it, or somebody else decided meanwhile.
    """
    if line.expires_at is not None and line.expires_at <= tx.now:
        hint = "zhitu retry leave 把它从清单里去掉"
        raise BotError("已经过了这条消息的最晚发送时间，再发也没有用", where=line.effect.effect_id, hint=hint)
    if not tx.deciding.send_again(line.effect.effect_id, now=tx.now):
        raise BotError("刚刚有人处理了这条消息", where=line.effect.effect_id)
    if line.customer_id > 0 and line.effect.send_class != "staff":
        customer = tx.customers.load([line.customer_id])[line.customer_id]
        unsent = departure.unsent_of(line.effect)
        after = ledger.record_repeating(customer, line.effect.conversation_id, unsent)
        tx.customers.save([(customer, after)])
    _journal_send(tx, line, "send_again")


def leave(tx: Transaction, line: OutboxLine) -> None:
    """Leave the message as it is and list it no more.

    BotError: somebody else decided meanwhile, or her own row does not open.
    """
    if not tx.deciding.leave(line.effect.effect_id):
        raise BotError("已经决定不再发这条消息", where=line.effect.effect_id)
    if line.customer_id > 0 and line.effect.send_class != "staff":
        # One that was set aside before it began still stands among those that wait for her.
        retry_spoilt.forget(tx, line.customer_id, line.effect.effect_id)
    _journal_send(tx, line, "leave")


def _still(tx: Transaction, parked: Parked) -> StillLane:
    return StillLane(
        lane=parked.lane,
        account=tx.deciding.account_name(parked.lane),
        reason=parked.reason,
        since=parked.parked_at,
        held=tx.deciding.held(parked.lane),
    )


def _journal_send(tx: Transaction, line: OutboxLine, decision: str) -> None:
    effect = line.effect
    if line.customer_id > 0:
        journal(tx, line.customer_id, decision=decision, effect=effect.effect_id, content=effect.content)
