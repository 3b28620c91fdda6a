"""`python -m tests.survival.checker DIRECTORY`: judge a run from what it left. Exit code 1: a column is not 0."""

import sys
from pathlib import Path

from tests.survival.checker.judging import judge
from tests.survival.checker.reading import read
from tests.survival.checker.report import as_text


def main(given: list[str]) -> int:
    """Print the page."""
    verdict = judge(read(Path(given[0])))
    sys.stdout.write(f"{as_text(verdict)}\n")
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
