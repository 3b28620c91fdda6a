"""The files that marketers write, to a checked library or to findings with places. The ways in are `load`, and
`load_trials` for the tests beside them; `read_sitter` reads for whom a content is previewed."""

from bot.authoring.canonical import canonical
from bot.authoring.diagnostics import Diagnostic
from bot.authoring.load_trials import LoadedTrials, load_trials
from bot.authoring.loading import Loaded, load
from bot.authoring.read_customer import Sitter, read_sitter
from bot.authoring.rendering import as_json, as_text
from bot.authoring.rulebook import RULES

__all__ = [
    "RULES",
    "Diagnostic",
    "Loaded",
    "LoadedTrials",
    "Sitter",
    "as_json",
    "as_text",
    "canonical",
    "load",
    "load_trials",
    "read_sitter",
]
