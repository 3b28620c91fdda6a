"""The files that marketers write, to a checked library or to findings with places. The one way in is `load`."""

from bot.authoring.canonical import canonical
from bot.authoring.diagnostics import Diagnostic
from bot.authoring.loading import Loaded, load
from bot.authoring.rendering import as_json, as_text
from bot.authoring.rulebook import RULES

__all__ = ["RULES", "Diagnostic", "Loaded", "as_json", "as_text", "canonical", "load"]
