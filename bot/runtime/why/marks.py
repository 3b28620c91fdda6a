"""Wording of what a step wrote down about the customer."""

from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.reasons import CLASSES


def _tag(detail: Detail) -> Said:
    removed = detail.flag("removed")
    text = f"{'去掉' if removed else '打上'}标签“{detail.text('tag')}”"
    return Said(text=text, outcome="removed" if removed else "added")


def _score(detail: Detail) -> Said:
    return Said(text=f"意向分 {_signed(detail)}，现在 {detail.text('score')}")


def _points(detail: Detail) -> Said:
    reason = detail.text("reason")
    return Said(text=f"积分 {_signed(detail)}{f'（{reason}）' if reason else ''}，现在 {detail.text('points')}")


def _signed(detail: Detail) -> str:
    add = detail.trace.detail.get("add")
    return f"{add:+}" if isinstance(add, int | float) else str(add)


def _set(detail: Detail) -> Said:
    return Said(text=f"记下 {detail.text('name')} = {detail.spelled('value')}")


def _note(detail: Detail) -> Said:
    return Said(text=f"给同事留备注（模板：{detail.source('source')}）")


def _lead(detail: Detail) -> Said:
    opened = detail.flag("opened")
    outcome = "opened" if opened else "updated"
    return Said(text=f"{'建立' if opened else '更新'}线索（阶段 {detail.text('stage')}）", tone="ok", outcome=outcome)


def _consent(detail: Detail) -> Said:
    granted = detail.flag("granted")
    return Said(
        text=f"客户{'同意' if granted else '撤回'}授权“{detail.text('purpose')}”，已留存依据",
        tone="ok" if granted else "no",
        outcome="granted" if granted else "withdrawn",
    )


def _opt_out(detail: Detail) -> Said:
    scope = detail.text("scope")
    return Said(text=f"客户退订{CLASSES.get(scope, scope)}；还没发出的不再发", tone="no", outcome=scope)


WORDS: Words = {
    "tag": _tag,
    "score": _score,
    "points": _points,
    "set": _set,
    "note": _note,
    "lead": _lead,
    "consent": _consent,
    "opt_out": _opt_out,
}
