"""How the processes of a benchmark talk: by lines on their standard output."""

import sys


def say(line: str) -> None:
    """Write one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
