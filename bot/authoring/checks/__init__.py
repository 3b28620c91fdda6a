"""The checks across files: everything that one file alone cannot know. Source: journey-language.md 4."""

from bot.authoring.checks import (
    asking,
    bursts,
    calendars,
    captures,
    conditions,
    consents,
    contents,
    experiments,
    filled,
    focus,
    formulas,
    graph,
    links,
    loops,
    options,
    prices,
    privacy,
    purposes,
    references,
    sends,
    triggers,
    welcomes,
    wording,
)
from bot.authoring.drafts import Drafts


def check(drafts: Drafts) -> None:
    """Leave every finding on the page it belongs to."""
    references.check(drafts)
    graph.check(drafts)
    loops.check(drafts)
    contents.check(drafts)
    wording.check(drafts)
    links.check(drafts)
    formulas.check(drafts)
    conditions.check(drafts)
    options.check(drafts)
    filled.check(drafts)
    asking.check(drafts)
    prices.check(drafts)
    purposes.check(drafts)
    consents.check(drafts)
    privacy.check(drafts)
    sends.check(drafts)
    bursts.check(drafts)
    welcomes.check(drafts)
    calendars.check(drafts)
    experiments.check(drafts)
    triggers.check(drafts)
    captures.check(drafts)
    focus.check(drafts)
