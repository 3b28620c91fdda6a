"""The command line: options in, exit codes out. What a command does is done below this layer.

Exit codes: 0 clean, 1 there are findings, 2 it cannot run, 130 interrupted.
"""

from bot.cli.commands import app, main

__all__ = ["app", "main"]
