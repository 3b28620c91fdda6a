"""`zhitu check`: everything that is wrong with the files of the marketers, at once."""

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot import config
from bot.cli.failures import FINDINGS
from bot.cli.options import CONFIG_FILE, CONTENT, JOURNEYS, ConfigFile, Content, Journeys, Language

if TYPE_CHECKING:
    from bot.authoring import Diagnostic

ReportForm = Annotated[Literal["text", "json"], typer.Option("--format", help="json：供程序读取 · json: for programs")]
FailOn = Annotated[
    Literal["error", "warning"],
    typer.Option(
        "--fail-on",
        help="从哪一级起退出码为 1，只因日期到了才有的警告不算 · exit code 1 from which level on; not for the day's",
    ),
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
    if any(_counts(finding, fail_on) for finding in found):
        raise typer.Exit(FINDINGS)


def _counts(finding: "Diagnostic", fail_on: str) -> bool:
    """Whether it makes the exit code 1. The same files get the same code on every day: a warning that only the day
    brings is told and fails no build, for nobody may be able to mend it yet (DECISIONS.md)."""
    return finding.severity == "error" or (finding.severity == fail_on and not finding.dated)
