"""The checks across files: everything that one file alone cannot know. Source: journey-language.md 4."""

from bot.authoring.checks import contents, formulas, graph, purposes, references, sends, triggers
from bot.authoring.drafts import Drafts


def check(drafts: Drafts) -> None:
    """Leave every finding on the page it belongs to."""
    references.check(drafts)
    graph.check(drafts)
    contents.check(drafts)
    formulas.check(drafts)
    purposes.check(drafts)
    sends.check(drafts)
    triggers.check(drafts)
