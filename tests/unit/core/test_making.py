"""Values with a quick constructor behave as any frozen dataclass."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from bot.core.making import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    kind: str
    watts: int = 5
    notes: Mapping[str, str] = field(default_factory=dict)


def test_it_is_made_with_its_defaults_and_equals_another_of_the_same_fields() -> None:
    lamp = Lamp(kind="desk")
    assert (lamp.kind, lamp.watts, lamp.notes) == ("desk", 5, {})
    assert lamp == Lamp(kind="desk", watts=5, notes={})
    assert repr(lamp) == "Lamp(kind='desk', watts=5, notes={})"


def test_two_of_them_share_no_default() -> None:
    assert Lamp(kind="a").notes is not Lamp(kind="b").notes


def test_it_cannot_be_changed_but_replaced() -> None:
    lamp = Lamp(kind="desk")
    with pytest.raises(FrozenInstanceError):
        lamp.watts = 7  # type: ignore[misc] # that it is refused is the point
    assert replace(lamp, watts=7) == Lamp(kind="desk", watts=7)


@pytest.mark.parametrize("fields", [{}, {"kind": "desk", "height": 3}])
def test_a_field_too_few_or_too_many_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(TypeError):
        Lamp(**fields)  # type: ignore[arg-type] # wrong on purpose


def test_a_class_that_inherits_is_refused() -> None:
    with pytest.raises(TypeError, match="inherits"):
        quickly_made(dataclass(frozen=True, slots=True, kw_only=True)(type("Heir", (Lamp,), {})))
