"""Cases as text: one or more files of a small world."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.authoring import Loaded

HERE = Path(__file__).parent
WORLD = HERE / "world"
MARK = "#=== "

Check = Callable[[Mapping[str, str]], Loaded]


def text_of(case: str) -> str:
    """The text of a firing case."""
    return (HERE / "cases" / "err" / f"{case}.yaml").read_text(encoding="utf-8")


def files_of(case: str) -> dict[str, str]:
    """The files in a case: `#=== path` begins the next one; before the first mark stands `journeys/case.yaml`."""
    files: dict[str, list[str]] = {}
    name = "journeys/case.yaml"
    for line in case.splitlines(keepends=True):
        if line.startswith(MARK):
            name = line.removeprefix(MARK).strip()
            files[name] = []
        else:
            files.setdefault(name, []).append(line)
    return {name: "".join(lines) for name, lines in files.items()}
