"""A test file to trials: the same typed walk, with the same places, as a journey. Source: journey-language.md 5.1."""

from datetime import timedelta
from typing import Literal

from bot.authoring import literals, trial_keys
from bot.authoring.drafts import Drafts
from bot.authoring.fields import Fields, chosen, fields_of
from bot.authoring.nodes import Node, Scalar
from bot.authoring.page import Page
from bot.authoring.read_expect import read_expect
from bot.authoring.read_mocks import read_mocks
from bot.authoring.read_trial_steps import read_moment, read_step
from bot.authoring.read_watch import read_watch
from bot.authoring.suggest import meant
from bot.authoring.trial_names import Names
from bot.authoring.trials import (
    CrashPoint,
    Defaults,
    Expect,
    Given,
    GivenWindow,
    Trial,
    TrialFile,
    TrialStep,
    Watcher,
    WindowKind,
)
from bot.authoring.vocabulary import WATCH
from bot.core.events import Json

TRIALS_MAX = 200
"""Tests of one file."""
NAME_MAX = 120
_KINDS: tuple[Literal["always", "never", "within"], ...] = ("always", "never", "within")
_POINTS: dict[str, CrashPoint] = {"C1": "C1", "C2": "C2", "C3": "C3", "C4": "C4"}
_WINDOWS: dict[str, WindowKind] = {
    "message": "message",
    "menu_click": "menu_click",
    "follow": "follow",
    "scan": "scan",
    "none": "none",
    "stranger": "stranger",
}


def read_trials(page: Page, root: Node, drafts: Drafts) -> TrialFile | None:
    """The tests in a file, None (after findings) when the file holds no table."""
    fields = fields_of(page, root, trial_keys.FILE)
    if fields is None:
        return None
    names = Names(page, drafts)
    scalar = fields.scalar("journey")
    journey = names.journey_of_test(scalar) if scalar else ""
    names = names.of(journey)
    found = TrialFile(
        file=page.source.name,
        journey=journey,
        defaults=_defaults(fields, names),
        trials=_trials(fields, names),
        rules=read_watchers(fields),
    )
    _check_repeats(fields, found)
    return found


def _trials(fields: Fields, names: Names) -> tuple[Trial, ...]:
    nodes = fields.nodes("tests")
    if len(nodes) > TRIALS_MAX:
        fields.page.say("J015", nodes[TRIALS_MAX], f"一个文件最多 {TRIALS_MAX} 个测试")
    read = (_trial(names, node) for node in nodes[:TRIALS_MAX])
    found: dict[str, Trial] = {}
    for trial in read:
        if trial is not None and trial.name in found:
            fields.page.say("J002", trial.span, f"测试 “{trial.name}” 写了两次", help="换一个名字")
        elif trial is not None:
            found[trial.name] = trial
    return tuple(found.values())


def _trial(names: Names, node: Node) -> Trial | None:
    fields = fields_of(names.page, node, trial_keys.TRIAL)
    scalar = fields.scalar("name") if fields else None
    if fields is None or scalar is None:
        return None
    if len(scalar.text) > NAME_MAX:
        names.page.say("J015", scalar, f"测试的名字最多 {NAME_MAX} 字")
    trial = Trial(
        name=scalar.text,
        span=scalar.span,
        given=_given(fields, names),
        steps=_steps(fields, names),
        mocks=read_mocks(fields, names),
        for_each_state=fields.parsed("for_each_state", literals.flag, False),
        crash=_crash(fields),
        repeat=fields.text("repeat"),
        expect=_last_expect(fields, names),
    )
    _check_shape(fields, trial)
    return trial


def _steps(fields: Fields, names: Names) -> tuple[TrialStep, ...]:
    return tuple(step for step in (read_step(names, node) for node in fields.nodes("steps")) if step)


def _last_expect(fields: Fields, names: Names) -> Expect | None:
    node = fields.node("expect")
    return read_expect(names, node, fields.key("expect").span) if node is not None else None


def _crash(fields: Fields) -> tuple[CrashPoint, ...]:
    inner = fields.inner("crash", trial_keys.CRASH)
    if inner is None:
        return ()
    found = [chosen(fields.page, scalar, _POINTS, default="C1") for scalar in inner.scalars("at")]
    return tuple(dict.fromkeys(found))


def _check_shape(fields: Fields, trial: Trial) -> None:
    """A test either has steps, or plays another one again."""
    if fields.has("crash") != fields.has("repeat"):
        key = "crash" if fields.has("crash") else "repeat"
        fields.page.say("J014", fields.key(key), "crash 和 repeat 要一起写", help="repeat: 另一个测试的名字")
    elif fields.has("repeat") and fields.has("steps"):
        fields.page.say("J016", fields.key("steps"), "写了 repeat 就不写 steps：重演的是那个测试的步骤")
    elif not fields.has("repeat") and not fields.has("steps"):
        fields.page.say("J014", trial.span, "测试缺少 “steps”", help="steps: [{event: oa.follow}, {expect: {sent: …}}]")
    if trial.for_each_state and trial.given.state:
        fields.page.say("J016", fields.key("for_each_state"), "for_each_state 会从每个状态开始，不能再写 given.state")


def _check_repeats(fields: Fields, found: TrialFile) -> None:
    names = [trial.name for trial in found.trials]
    for trial in found.trials:
        again = found.named(trial.repeat) if trial.repeat else None
        if trial.repeat and again is None:
            fields.page.say("J203", trial.span, f"没有叫 “{trial.repeat}” 的测试{meant(trial.repeat, names)}")
        elif again is not None and (again.repeat or again.for_each_state):
            fields.page.say("J016", trial.span, f"“{trial.repeat}” 不能重演：它自己也是重演，或对每个状态各做一遍")


def _defaults(fields: Fields, names: Names) -> Defaults:
    inner = fields.inner("defaults", trial_keys.DEFAULTS)
    if inner is None:
        return Defaults()
    config = inner.inner("config", trial_keys.CONFIG)
    return Defaults(
        start=read_moment(inner, "start"),
        customer=_customer(inner, names),
        mocks=read_mocks(inner, names),
        templates=config.texts("templates") if config is not None and config.has("templates") else None,
    )


def _customer(fields: Fields, names: Names) -> dict[str, Json]:
    entries = fields.entries("customer")
    return {names.attribute(entry.key): names.value_of_attribute(entry.key.text, entry.value) for entry in entries}


def _given(fields: Fields, names: Names) -> Given:
    inner = fields.inner("given", trial_keys.GIVEN)
    if inner is None:
        return Given()
    state = inner.scalar("state")
    values = {names.var(entry.key): names.value_of_var(entry.key.text, entry.value) for entry in inner.entries("vars")}
    slots = {
        names.slot(entry.key): names.value_of_slot(entry.key.text, entry.value) for entry in inner.entries("slots")
    }
    declared = names.journey.journey.vars if names.journey is not None else {}
    for key in ("vars", "slots"):
        if inner.has(key) and state is None:
            names.page.say("J016", inner.key(key), f"given.{key} 要和 given.state 一起写", help="state: 从哪个状态开始")
    return Given(
        state=names.state(state, key="given.state") if state else "",
        values={name: value for name, value in values.items() if name in declared},
        saved={name: value for name, value in values.items() if name not in declared},
        slots=slots,
        customer=_customer(inner, names),
        tags=inner.texts("tags"),
        score=inner.parsed("score", literals.whole, 0),
        points=inner.parsed("points", literals.whole, 0),
        consent=inner.texts("consent"),
        arms=names.arms(inner),
        at=read_moment(inner, "at"),
        window=_window(inner),
    )


def _window(fields: Fields) -> GivenWindow | None:
    node = fields.node("window")
    if node is None:
        return None
    if isinstance(node, Scalar):
        return GivenWindow(kind=chosen(fields.page, node, _WINDOWS, default="none"))
    inner = fields_of(fields.page, node, trial_keys.GIVEN_WINDOW)
    if inner is None:
        return None
    ago: timedelta = inner.parsed("ago", literals.duration, timedelta(0))
    return GivenWindow(
        kind=inner.one_of("kind", _WINDOWS, default="none"), ago=ago, left=inner.parsed("left", literals.whole, None)
    )


def read_watchers(fields: Fields) -> tuple[Watcher, ...]:
    """`rules:`, each a property; what cannot be read is told (J017)."""
    return tuple(found for found in (_watcher(fields.page, node) for node in fields.nodes("rules")) if found)


def _watcher(page: Page, node: Node) -> Watcher | None:
    fields = fields_of(page, node, WATCH)
    if fields is None:
        return None
    written = [kind for kind in _KINDS if fields.has(kind)]
    if len(written) > 1:
        page.say("J016", node, "rules 的一项要写 always、never 或 within 其中一个")
    if len(written) != 1:
        return None
    scalar = fields.scalar(written[0])
    found = read_watch(page, written[0], scalar) if scalar is not None else None
    return Watcher(property=found, span=scalar.span) if found is not None and scalar is not None else None
