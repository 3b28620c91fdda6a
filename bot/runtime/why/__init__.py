"""Why a customer got something, or did not: the causal chain of one customer, in Chinese (design.md 3.10)."""

from bot.runtime.why.line import SHANGHAI, Line, Tone, Wall, as_object
from bot.runtime.why.render import as_json, as_text, last_decision, lines
from bot.runtime.why.story import Episode, Story, tell
from bot.runtime.why.wording import sentence

__all__ = [
    "SHANGHAI",
    "Episode",
    "Line",
    "Story",
    "Tone",
    "Wall",
    "as_json",
    "as_object",
    "as_text",
    "last_decision",
    "lines",
    "sentence",
    "tell",
]
