"""`zhitu talk` for people: what happened, painted as a chat."""

from rich.console import Console
from rich.text import Text

from bot.sandbox.reports import Report

_console = Console(highlight=False)


def paint(one: Report) -> None:
    """Show one report. Effects and states are small print; messages look like messages."""
    match one["kind"]:
        case "sent":
            _message(one)
        case "card":
            _card(one)
        case "state":
            _console.print(Text(f"    ● {_standing(one)}", style="dim"))
        case "effect":
            _console.print(Text(f"    · {one['text']}", style="dim"))
        case "why":
            tone = {"ok": "green", "no": "red"}.get(str(one.get("tone")), "")
            _console.print(Text(f"    {one['text']}", style=tone))
        case "help":
            _console.print(Text(str(one["text"])))
        case _:
            _console.print(Text(f"    ✗ {one['text']}", style="red"))


def _standing(one: Report) -> str:
    if not one["journey"]:
        return "还没有进入任何旅程"
    ended = f"（已结束：{one['end']}）" if one.get("end") else ""
    return f"现在在旅程 {one['journey']} 的 {one['state']}{ended}"


def _message(one: Report) -> None:
    who = "公众号" if one["to"] == "buyer" else f"企业微信 → {one['to']}"
    _console.print(Text(f"  {who}  ", style="bold green") + Text(str(one["text"])))
    choices = one.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict):
            _console.print(Text(f"      ▸ {choice['text']}", style="blue"))


def _card(one: Report) -> None:
    _console.print(Text(f"  卡片 → {one['to']}  ", style="bold blue") + Text(str(one["text"])))
    rows = one.get("rows")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, list):
            _console.print(Text(f"      {row[0]}：{row[1]}"))
    buttons = one.get("buttons")
    listed = [str(b["key"]) for b in (buttons if isinstance(buttons, list) else []) if isinstance(b, dict)]
    if listed:
        _console.print(Text(f"      [{'] ['.join(listed)}]", style="blue"))
