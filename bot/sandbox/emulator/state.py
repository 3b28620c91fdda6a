"""What the emulated platforms know at one moment, for `/_emulator/state` and for turning the clock."""

from collections.abc import Iterable
from datetime import datetime

from bot.sandbox.emulator.oa_account import Follower, OfficialAccount
from bot.sandbox.emulator.wecom_app import WecomApp
from bot.sandbox.emulator.wire import Json


def all_of(
    accounts: Iterable[OfficialAccount], apps: Iterable[WecomApp], *, now: datetime, busy: bool
) -> dict[str, Json]:
    """Everything, as JSON; times are ISO 8601 in UTC."""
    return {
        "now": now.isoformat(),
        "busy": busy,
        "oa": {one.settings.name: _account(one, now) for one in accounts},
        "wecom": {app.settings.name: _app(app) for app in apps},
    }


def _account(account: OfficialAccount, now: datetime) -> Json:
    return {
        "callback_url": account.callback_url,
        "mode": account.settings.mode,
        "people": {person.openid: _person(person, now) for person in account.people()},
    }


def _person(person: Follower, now: datetime) -> Json:
    windows: list[Json] = [
        {"kind": bucket.kind, "left": bucket.left, "closes_at": bucket.closes_at.isoformat()}
        for bucket in person.ledger.running(now)
    ]
    return {
        "following": person.following,
        "blocking": person.blocking,
        "scene": person.scene,
        "bubbles": len(person.chat.bubbles()),
        "windows": windows,
    }


def _app(app: WecomApp) -> Json:
    return {
        "callback_url": app.callback_url,
        "members": {
            one.staff_id: {"name": one.name, "bubbles": len(one.chat.bubbles())} for one in app.members.values()
        },
    }


def next_end(accounts: Iterable[OfficialAccount], apps: Iterable[WecomApp], now: datetime) -> datetime | None:
    """The earliest moment after `now` at which a reply window or a response code lapses; None: nothing will."""
    windows = [bucket.closes_at for one in accounts for person in one.people() for bucket in person.ledger.running(now)]
    codes = [end for app in apps if (end := app.code_ends(now)) is not None]
    return min([*windows, *codes], default=None)
