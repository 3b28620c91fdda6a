"""Plays what each line of standard input asks for, in a process of its own that begins with everything imported.

A line is a JSON list of options of `python -m tests.simulation`; the answer is a line too: the exit code, and all that
was said. Importing the product takes ten times as long as playing a seed.
"""

import json
import os
import sys
import tempfile

import tests.unit.step.random_journeys  # noqa: F401  for those who play random journeys
from tests.simulation.__main__ import main


def play(options: list[str]) -> tuple[int, str]:
    """Exit code and output of the command with these options, from a fork; the fork itself exits in here."""
    with tempfile.TemporaryFile() as told:
        child = os.fork()
        if child == 0:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(told.fileno(), stream.fileno())
            sys.argv[1:] = options
            sys.exit(main())
        _, status = os.waitpid(child, 0)
        told.seek(0)
        return os.waitstatus_to_exitcode(status), told.read().decode()


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(play(json.loads(line))) + "\n")
        sys.stdout.flush()
