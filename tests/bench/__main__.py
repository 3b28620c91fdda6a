"""`python -m tests.bench NAME [--json] [options]`: measure one figure and print it. Exit code 1: it is void."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import dispatch, event, reject, step
from tests.bench.command import Parser
from tests.bench.lines import say
from tests.bench.report import Report
from tests.bench.settings import Settings

BENCHES: dict[str, Callable[[Settings], Report]] = {
    "event": event.measure,
    "dispatch": dispatch.measure,
    "reject": reject.measure,
    "step": step.measure,
}
EVERYTHING = "all"


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = Parser(
        prog="zhitu bench NAME", usage="%(prog)s [选项]", description="测一个数并打印。退出码 1：这个数作废。"
    )
    parser.add_argument("name", choices=[*BENCHES, EVERYTHING], help="测哪一个；all：全部")
    parser.add_argument("--json", action="store_true", help="一行一个 JSON 对象")
    parser.add_argument("--rounds", type=int, default=5, help="底线和产品轮流测几轮")
    parser.add_argument("--seconds", type=float, default=30.0, help="每轮测几秒")
    parser.add_argument("--warm-up", type=float, default=5.0, help="之前热身几秒，不计")
    parser.add_argument("--connections", type=int, default=256, help="同时几个连接")
    parser.add_argument("--sends", action="store_true", help="event：计划的消息也发出去")
    parser.add_argument("--quick", action="store_true", help="只试一小轮，总是作废")
    parser.add_argument("--work", type=Path, help="数据库建在哪里；不写就用临时目录")
    parser.add_argument("--out", type=Path, help="另在这个目录写 NAME.json")
    return parser.parse_args(given)


def settings_of(options: argparse.Namespace, directory: Path) -> Settings:
    """What the options say. `--quick` is too short for every rule, and the report will say so."""
    return Settings(
        directory=directory,
        rounds=1 if options.quick else options.rounds,
        seconds=min(6.0, options.seconds) if options.quick else options.seconds,
        warm_up_s=min(2.0, options.warm_up) if options.quick else options.warm_up,
        connections=options.connections,
        sends=options.sends,
    )


def main(given: Sequence[str] | None = None) -> int:
    """Run what is asked for. 0: every figure counts."""
    options = arguments(given)
    names = list(BENCHES) if options.name == EVERYTHING else [options.name]
    voids = 0
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zhitu-bench-", dir=options.work) as directory:
        for name in names:
            found = BENCHES[name](settings_of(options, Path(directory) / name))
            voids += bool(found.voids)
            say(found.as_json() if options.json else found.as_text())
            if options.out:
                options.out.mkdir(parents=True, exist_ok=True)
                (options.out / f"{name}.json").write_text(found.as_json() + "\n", encoding="utf-8")
    return 1 if voids else 0


if __name__ == "__main__":
    sys.exit(main())
