"""Libraries made by hand, with no more in them than what is understood needs."""

from collections.abc import Iterable
from datetime import timedelta

from bot.core.catalogue import CarModel, Catalogue
from bot.core.journey import Journey
from bot.core.library import Faq, Intent, Library
from bot.core.rules import GlobalRules
from bot.core.slots import Slot
from bot.core.states import Ask, End, State

RULES = GlobalRules(
    timezone="Asia/Shanghai",
    quiet=None,
    human_hold=timedelta(minutes=30),
    working_hours={},
    caps=(),
    class_rules={},
    windows={},
)


def asking(*slots: Slot) -> Journey:
    """A journey `j` that asks for one slot after the other, in states of their names."""
    states = {slot.name: State(name=slot.name, doing=Ask(slot=slot.name), then="done") for slot in slots}
    states["done"] = State(name="done", doing=End(label="success"))
    return Journey(journey="j", name="j", channel="oa", states=states, slots={slot.name: slot for slot in slots})


def library(
    *,
    journeys: Iterable[Journey] = (),
    models: Iterable[CarModel] = (),
    intents: Iterable[Intent] = (),
    faqs: tuple[Faq, ...] = (),
) -> Library:
    """A library of these."""
    return Library(
        release="",
        journeys={one.journey: one for one in journeys},
        contents={},
        rules=RULES,
        attributes={},
        members=(),
        dealers={},
        catalogue=Catalogue(models={one.model: one for one in models}),
        intents={one.intent: one for one in intents},
        faqs=faqs,
    )
