"""`zhitu test` and `zhitu paths`: journeys tried in virtual time, and the ways through them."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot import config
from bot.cli.failures import FINDINGS
from bot.cli.options import CONFIG_FILE, CONTENT, JOURNEYS, ConfigFile, Content, Journeys
from bot.errors import BotError

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...", help="旅程、测试文件或测试的名字，不写就是全部 · journey, file or test; all by default"
    ),
]
Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="另写一份 JUnit 报告 · write JUnit XML too")
]
AsJson = Annotated[bool, typer.Option("--json", help="供程序读取 · for programs")]


def play(
    *,
    names: Names = None,
    config_file: ConfigFile = CONFIG_FILE,
    journeys: Journeys = JOURNEYS,
    content: Content = CONTENT,
    junit: Junit = None,
    as_json: AsJson = False,
) -> None:
    """用虚拟时间试旅程：journeys/tests 里的测试 · Try journeys in virtual time: the tests in journeys/tests.

    退出码：0 全部通过，1 有没通过的或文件有错，2 无法测试。Exit codes: 0 all pass, 1 failures, 2 cannot run.
    """
    from bot import authoring  # here, so that the other commands start without the parsers and the database
    from bot.core.program import compile_library
    from bot.sandbox.trials import choose, report, run

    loaded = authoring.load(journeys, content, templates=config.declared(config_file, os.environ).templates)
    trials = authoring.load_trials(journeys, loaded.drafts)
    if loaded.library is None or trials.broken:
        found = (*loaded.diagnostics, *trials.diagnostics)
        typer.echo(authoring.as_text(found, "zh", colour=sys.stdout.isatty()), nl=False)
        raise typer.Exit(FINDINGS)
    chosen = choose.chosen(trials.files, names or [])
    outcome = run.play_all(compile_library(loaded.library), chosen)
    if junit is not None:
        _write(junit, report.as_junit(outcome))
    if as_json:
        typer.echo(json.dumps(report.as_json(outcome), ensure_ascii=False, indent=2))
    else:
        typer.echo(report.as_text(outcome), nl=False)
    if outcome.failed:
        raise typer.Exit(FINDINGS)


def _write(path: Path, document: bytes) -> None:
    try:
        path.write_bytes(document)
    except OSError as error:
        raise BotError(f"`{path}` 写不了：{error.strerror}") from error


def paths(
    journey: Annotated[str, typer.Argument(metavar="JOURNEY", help="旅程 · the journey")],
    *,
    to: Annotated[str, typer.Option("--to", metavar="STATE", help="到哪个状态 · the state to come to")],
    config_file: ConfigFile = CONFIG_FILE,
    journeys: Journeys = JOURNEYS,
    content: Content = CONTENT,
) -> None:
    """到一个状态最短的几条路 · The shortest ways through a journey to a state.

    退出码：0 有路，1 没有路或文件有错，2 没有这个旅程或状态。Exit codes: 0 some, 1 none or bad files, 2 no such state.
    """
    from bot import authoring
    from bot.sandbox.trials.paths import as_line, shortest

    loaded = authoring.load(journeys, content, templates=config.declared(config_file, os.environ).templates)
    if loaded.library is None:
        typer.echo(authoring.as_text(loaded.diagnostics, "zh", colour=sys.stdout.isatty()), nl=False)
        raise typer.Exit(FINDINGS)
    found = loaded.library.journeys.get(journey)
    if found is None:
        raise BotError(f"没有旅程 {journey}", hint=f"有：{'、'.join(loaded.library.journeys)}")
    group = found.groups.get(to)
    if to not in found.states and group is None:
        raise BotError(f"{journey} 没有状态 {to}", hint=f"有：{'、'.join((*found.states, *found.groups))}")
    ways = list(shortest(found, group.initial if group else to))
    typer.echo("\n".join(as_line(found, steps) for steps in ways) if ways else f"没有路通到 {to}")
    if not ways:
        raise typer.Exit(FINDINGS)
