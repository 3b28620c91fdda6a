"""What may be told of a bug: its kind and its places in the code, never the values that it met."""

import traceback

from bot.errors import BotError

_ABOUT_CODE = (BotError, AssertionError, AttributeError, ImportError, NameError, OSError, RecursionError, TypeError)
"""Their messages speak of code or of the machine. Those of others, as KeyError and ValueError, may quote what a
customer wrote."""

FRAMES_MAX = 30
"""Innermost frames of a trace that are told; a recursion without end has thousands."""


def kind_of(bug: BaseException) -> str:
    """The class of `bug`, with its message where that cannot hold anything of a customer's."""
    return f"{type(bug).__name__}: {bug}" if isinstance(bug, _ABOUT_CODE) else type(bug).__name__


def place_of(bug: Exception) -> str:
    """The innermost line of our own code, as `runtime/engine.py:12`; `unknown place` when there is none."""
    frames = traceback.extract_tb(bug.__traceback__)
    last = next((frame for frame in reversed(frames) if "/bot/" in frame.filename), None)
    return f"{last.filename.rpartition('/bot/')[2]}:{last.lineno}" if last else "unknown place"


def trace_of(bug: BaseException) -> str:
    """The lines of code that `bug` went through, innermost last.

    Written out here, because some renderers of a log would add every local variable, and with them the customer.
    """
    return "".join(traceback.format_tb(bug.__traceback__)[-FRAMES_MAX:])
