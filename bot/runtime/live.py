"""What is in force now: the program that steps run on. Replaced as a whole, never changed in place."""

from dataclasses import dataclass

from bot.core.program import Program


@dataclass(slots=True)
class Live:
    """Holds the program in force; whoever steps reads it once a batch."""

    program: Program
