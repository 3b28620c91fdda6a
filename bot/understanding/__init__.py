"""What a customer's text says: pure, offline, the same answer for the same text every time."""

from bot.understanding.arriving import arrived
from bot.understanding.folding import TEXT_MAX
from bot.understanding.index import Index, index_of, indexed
from bot.understanding.normal import normalise, spelled
from bot.understanding.reading import read

__all__ = ["TEXT_MAX", "Index", "arrived", "index_of", "indexed", "normalise", "read", "spelled"]
