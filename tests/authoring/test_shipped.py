"""The journeys and contents that come with the product."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.authoring import Loaded, load
from bot.core.actions import ChangeConsent, CreateTask, OpenLead, Send, StartJourney
from bot.core.entries import EventEntry, KeywordEntry
from bot.core.states import Ask, Branch, CallJourney, End, Handoff, Wait

ROOT = Path(__file__).parents[2]
TEMPLATES = ["留资进度", "试驾提醒", "爽约关怀"]


@pytest.fixture(scope="module")
def shipped() -> Loaded:
    return load(ROOT / "journeys", ROOT / "content", templates=TEMPLATES)


def test_they_check_without_an_error_or_a_warning(shipped: Loaded) -> None:
    assert [(one.rule, one.file, one.line, one.message) for one in shipped.diagnostics] == []
    assert shipped.library is not None


def test_the_welcome_journey_means_what_its_file_says(shipped: Loaded) -> None:
    assert shipped.library is not None
    journey = shipped.library.journeys["oa-welcome"]
    assert journey.initial == "hello"
    assert isinstance(journey.enter[0], EventEntry)
    assert journey.enter[0].event == "oa.follow"
    assert isinstance(journey.enter[1], KeywordEntry)
    assert journey.enter[1].keywords == ("留资", "报价", "咨询")
    assert journey.reentry.allow == timedelta(days=30)
    assert journey.focus.resume_within == timedelta(hours=24)
    assert journey.slots["need"].options["金融"] == ("贷款", "分期", "置换")
    assert journey.slots["phone"].confirm
    assert journey.slots["phone"].capture == "first"
    assert journey.slots["nick"].capture == "after_triggers"
    assert journey.goal is not None
    assert journey.goal.within == timedelta(days=14)
    assert [rule.error for rule in journey.errors] == ["send.window_closed", "*"]


def test_every_step_of_the_welcome_journey_has_its_kind(shipped: Loaded) -> None:
    assert shipped.library is not None
    states = shipped.library.journeys["oa-welcome"].states
    kinds = {name: type(state.doing) for name, state in states.items() if state.doing is not None}
    assert kinds == {
        "need": Ask,
        "route": Branch,
        "nick": Ask,
        "consent": CallJourney,
        "consent_ok": Branch,
        "phone": Ask,
        "nudge": Wait,
        "offer_human": Handoff,
        "sleep": End,
        "done": End,
    }
    assert [type(action) for action in states["assign"].do][:2] == [OpenLead, CreateTask]
    assert [type(action) for action in states["to_service"].do] == [StartJourney]
    assert states["nudge"].otherwise == "sleep"
    assert isinstance(states["leave_message"].do[0], Send)


def test_the_consent_journey_keeps_the_text_that_the_customer_saw(shipped: Loaded) -> None:
    assert shipped.library is not None
    (grant,) = shipped.library.journeys["consent-phone"].states["record"].do
    assert isinstance(grant, ChangeConsent)
    assert grant.granted
    assert len(shipped.library.contents[grant.text].hash) == 64


def test_a_missing_template_registration_is_reported_where_the_journey_uses_it() -> None:
    loaded = load(ROOT / "journeys", ROOT / "content", templates=[])
    assert {one.rule for one in loaded.diagnostics} == {"J312"}
    assert {Path(one.file).name for one in loaded.diagnostics} == {"oa-welcome.yaml", "test-drive.yaml"}
