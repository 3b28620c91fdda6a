"""`zhitu check`: everything that is wrong with the files of the marketers, at once."""

import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from bot import config
from bot.cli.failures import FINDINGS
from bot.cli.options import CONFIG_FILE, CONTENT, JOURNEYS, ConfigFile, Content, Journeys, Language

ReportForm = Annotated[Literal["text", "json"], typer.Option("--format", help="json：供程序读取 · json: for programs")]
FailOn = Annotated[
    Literal["error", "warning"],
    typer.Option("--fail-on", help="从哪一级起退出码为 1 · the level from which on the exit code is 1"),
]


def check(
    *,
    config_file: ConfigFile = CONFIG_FILE,
    journeys: Journeys = JOURNEYS,
    content: Content = CONTENT,
    form: ReportForm = "text",
    lang: Language = "zh",
    fail_on: FailOn = "error",
) -> None:
    """检查旅程与话术，一次列出全部问题 · Check journeys and contents, every finding at once.

    退出码：0 没有问题，1 有问题，2 无法检查。Exit codes: 0 clean, 1 findings, 2 cannot run.
    """
    from bot import authoring  # here, so that the other commands start without the parsers

    known = config.declared(config_file, os.environ)
    today = datetime.now(UTC).date()
    loaded = authoring.load(journeys, content, templates=known.templates, webhooks=known.webhooks, today=today)
    found = (*loaded.diagnostics, *authoring.load_trials(journeys, loaded.drafts).diagnostics)
    if form == "json":
        typer.echo(authoring.as_json(found))
    else:
        typer.echo(authoring.as_text(found, lang, colour=sys.stdout.isatty()), nl=False)
    if any(finding.severity in ("error", fail_on) for finding in found):
        raise typer.Exit(FINDINGS)
