"""How a foreseen failure looks in a terminal, and which exit code it gives."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from bot.cli import usage
from bot.errors import AuthoringError, BotError, Complaint, ConfigError

FINDINGS = 1
CANNOT_RUN = 2


def exit_code(error: BotError) -> int:
    """1 where a file that marketers write has to be mended, else 2."""
    return FINDINGS if isinstance(error, AuthoringError) else CANNOT_RUN


def show(error: BotError) -> None:
    """Print what happened, where, and then how to mend it to standard error. No traceback: it was foreseen."""
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    complaints = error.complaints if isinstance(error, ConfigError) else (_as_complaint(error),)
    for complaint in complaints:
        console.print(_lines(complaint))
    if len(complaints) > 1:
        console.print(Text(f"共 {len(complaints)} 处", style="bold"))


def show_usage(fault: typer.TyperException) -> None:
    """Print what is wrong with the command line; without any command, what commands there are."""
    context: typer.Context | None = getattr(fault, "ctx", None)
    if type(fault).__name__ == "NoArgsIsHelpError" and context is not None:
        typer.echo(context.get_help())
        return
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    console.print(_lines(usage.complaint_of(fault)))


def _as_complaint(error: BotError) -> Complaint:
    return Complaint(where=error.where, what=error.what, hint=error.hint)


def _lines(complaint: Complaint) -> Text:
    place = f"{complaint.where}: " if complaint.where else ""
    text = Text.assemble(("错误：", "bold red"), (place, "bold"), complaint.what.rstrip())
    if complaint.hint:
        text.append(f"\n  修复  {complaint.hint}", style="cyan")
    return text
