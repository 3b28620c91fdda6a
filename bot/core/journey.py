"""A journey as data: what a file means once it is checked. No positions, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.entries import Entry, Exit, Focus, Goal, Holdout, Limits, Reentry
from bot.core.expressions.tree import Expression, Template
from bot.core.rules import OnError
from bot.core.slots import Slot, Var
from bot.core.states import Group, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A property that tests, simulation and production look after (`rules:`). `text` is what was written."""

    kind: Literal["always", "never", "within"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """`states` keep the order of the file; the first is where a customer begins.

    `moved`: old names of states and slots with their new ones. `label` names this state of the file for people
    (`release: 双11`).
    """

    journey: str
    name: str
    channel: str
    states: Mapping[str, State]
    label: str = ""
    owner: str = ""
    about: str = ""
    labels: tuple[str, ...] = ()
    enter: tuple[Entry, ...] = ()
    audience: Expression | None = None
    key: Template | None = None
    reentry: Reentry = field(default_factory=Reentry)
    focus: Focus = field(default_factory=Focus)
    vars: Mapping[str, Var] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    holdout: Holdout | None = None
    goal: Goal | None = None
    exits: tuple[Exit, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    errors: tuple[OnError, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    migrate: Literal["follow", "pin"] = "follow"
    rules: tuple[Watch, ...] = ()

    @property
    def initial(self) -> str:
        """The state in which an enrolment begins."""
        return next(iter(self.states))
