"""What a customer's text says: pure, offline, the same answer for the same text every time."""

from bot.understanding.folding import TEXT_MAX
from bot.understanding.normal import normalise
from bot.understanding.reading import read

__all__ = ["TEXT_MAX", "normalise", "read"]
