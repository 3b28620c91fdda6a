"""`zhitu bench`: measure the product. The harness lies beside the tests, in a checkout, and not in the package."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.errors import BotError

SURVIVAL = "survive"
_HARNESS = {SURVIVAL: "tests.survival"}
_BENCH = "tests.bench"
BENCH_OPTIONS = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
"""Options belong to the harness, `--help` too: this command hands them on as they are."""


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="event · dispatch · reject · step · survive · all")],
) -> None:
    """测量性能与抗故障能力（需要源码目录） · Measure speed and survival; needs a checkout.

    `zhitu bench NAME --json`：输出一个 JSON 对象。退出码：0 有效，1 作废，2 无法测量。
    Exit codes: 0 it counts, 1 it is void, 2 it cannot be measured.
    """
    harness = _HARNESS.get(name, _BENCH)
    handed_on = context.args if name in _HARNESS else [name, *context.args]
    raise typer.Exit(_run(harness, handed_on))


def _run(harness: str, arguments: list[str]) -> int:
    """The exit code of the harness, run on this interpreter. BotError: there is none beside the package."""
    checkout = Path(__file__).parents[2]
    if not checkout.joinpath(*harness.split("."), "__main__.py").is_file():
        raise BotError(
            f"这里没有 `{harness}`：这是装好的包，测量要在源码目录里做",
            where=str(checkout),
            hint="取来源码，在里面先 `uv sync`，再 `uv run zhitu bench`",
        )
    path = os.pathsep.join(filter(None, (str(checkout), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", harness, *arguments]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False).returncode  # noqa: S603 - our own module
