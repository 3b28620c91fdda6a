"""`zhitu preview`: one content as a customer would see it, made by the functions that make every message."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import config
from bot.cli.failures import CANNOT_RUN, FINDINGS
from bot.cli.options import CONFIG_FILE, CONTENT, JOURNEYS, ConfigFile, Content, Journeys
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.authoring import Diagnostic, Loaded, Sitter
    from bot.cli.previews import Shown
    from bot.core.library import Content as Said

Name = Annotated[str, typer.Argument(metavar="CONTENT", help="内容的名字，或它的文件 · name or file of a content")]
Customer = Annotated[
    Path | None,
    typer.Option(
        "--customer", metavar="FILE", exists=True, dir_okay=False, help="给谁看：客户属性、槽、变量 · for whom"
    ),
]
Channel = Annotated[str | None, typer.Option("--channel", metavar="oa|kf|wecom|sms", help="只看这个渠道 · one channel")]
Variant = Annotated[str | None, typer.Option("--variant", metavar="NAME", help="只看这种说法 · one variant")]
AsJson = Annotated[bool, typer.Option("--json", help="供程序读取 · for programs")]


def preview(
    *,
    name: Name,
    customer: Customer = None,
    channel: Channel = None,
    variant: Variant = None,
    as_json: AsJson = False,
    config_file: ConfigFile = CONFIG_FILE,
    journeys: Journeys = JOURNEYS,
    content: Content = CONTENT,
) -> None:
    """看一条内容发出去的样子 · One content as a customer would see it.

    退出码：0 没有问题，1 有问题，2 无法预览。Exit codes: 0 fine, 1 findings, 2 cannot show it.
    """
    from bot import authoring  # here, so that the other commands start without the parsers
    from bot.cli import previews

    known = config.declared(config_file, os.environ)
    now = datetime.now(UTC)
    loaded = authoring.load(journeys, content, templates=known.templates, webhooks=known.webhooks, today=now.date())
    if loaded.library is None:
        _tell(loaded.diagnostics, FINDINGS)
        raise typer.Exit(FINDINGS)
    said = _content(loaded, name)
    said_by = previews.journeys_that_say(loaded, said.content)
    wanted = previews.Wanted(
        content=said,
        channels=_channels(said, channel),
        variants=_variants(said, variant),
        sitter=_sitter(loaded, customer, said_by[0] if said_by else ""),
        said_by=said_by,
    )
    shown = previews.show(loaded.library, wanted, now)
    findings = tuple(
        one for one in loaded.diagnostics if one.file == loaded.drafts.contents[said.content].page.source.name
    )
    _print(shown, findings, as_json=as_json)
    if findings or any(one.fault for one in shown):
        raise typer.Exit(FINDINGS)


def _content(loaded: "Loaded", name: str) -> "Said":
    assert loaded.library is not None, "only a checked library is previewed"
    path = Path(name)
    stem = path.stem if path.suffix == ".md" else path.name
    wanted = f"faq/{stem}" if "faq" in path.parts[:-1] else stem
    found = loaded.library.contents.get(wanted)
    if found is None:
        from bot.authoring.suggest import meant

        known = sorted(loaded.library.contents)
        raise BotError(f"没有内容 {wanted}{meant(wanted, known)}", hint=f"有：{'、'.join(known)}")
    return found


def _channels(said: "Said", channel: str | None) -> tuple[str, ...]:
    if channel is not None and channel not in said.forms:
        raise BotError(f"内容 {said.content} 没有渠道 {channel} 的版本", hint=f"有：{'、'.join(said.forms)}")
    return tuple(said.forms) if channel is None else (channel,)


def _variants(said: "Said", variant: str | None) -> tuple[str, ...]:
    if variant is not None and variant not in said.variants:
        raise BotError(f"内容 {said.content} 没有变体 {variant}", hint=f"有：{'、'.join(said.variants)}")
    return tuple(said.variants) if variant is None else (variant,)


def _sitter(loaded: "Loaded", path: Path | None, journey: str) -> "Sitter":
    from bot import authoring

    if path is None:
        return authoring.Sitter(journey=journey)
    sitter, findings = authoring.read_sitter(path, loaded.drafts, journey=journey)
    if sitter is None or findings:
        _tell(findings, CANNOT_RUN)
        raise typer.Exit(CANNOT_RUN)
    return sitter


def _tell(findings: "tuple[Diagnostic, ...]", code: int) -> None:
    from bot import authoring

    colour = (sys.stdout if code == FINDINGS else sys.stderr).isatty()
    typer.echo(authoring.as_text(findings, "zh", colour=colour), nl=False, err=code == CANNOT_RUN)


def _print(shown: "tuple[Shown, ...]", findings: "tuple[Diagnostic, ...]", *, as_json: bool) -> None:
    from bot import authoring
    from bot.cli import previews

    if as_json:
        rows = [previews.as_row(one) for one in shown]
        document = {"previews": rows, "findings": json.loads(authoring.as_json(findings))}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    typer.echo("\n\n".join(previews.as_text(one) for one in shown))
    if findings:
        typer.echo("")
        typer.echo(authoring.as_text(findings, "zh", colour=sys.stdout.isatty()), nl=False)
