"""Values that are made quickly, by whichever way, are as any other of their dataclass."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from bot.core.making import changer, copier, maker, quickly_made


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


@dataclass(slots=True, kw_only=True)
class OpenLamp:
    kind: str
    watts: int
    notes: dict[str, str]


def test_a_maker_gives_what_the_class_gives_and_it_is_frozen() -> None:
    made = maker(Lamp)(kind="desk")
    assert made == Lamp(kind="desk") and type(made) is Lamp
    with pytest.raises(FrozenInstanceError):
        made.watts = 7  # type: ignore[misc] # that it is refused is the point


def test_a_maker_refuses_a_field_too_few_or_too_many_and_shares_no_default() -> None:
    make_lamp = maker(Lamp)
    assert make_lamp(kind="a").notes is not make_lamp(kind="b").notes
    with pytest.raises(TypeError):
        make_lamp()  # type: ignore[call-arg] # wrong on purpose
    with pytest.raises(TypeError):
        make_lamp(kind="desk", height=3)  # type: ignore[call-arg] # wrong on purpose


def test_a_changer_gives_another_value_and_leaves_the_first() -> None:
    lamp = Lamp(kind="desk", notes={"a": "b"})
    changed = changer(Lamp)(lamp, watts=7)
    assert changed == replace(lamp, watts=7) and lamp.watts == 5
    with pytest.raises(TypeError):
        changer(Lamp)(lamp, height=3)


def test_a_copier_takes_every_field_and_puts_some_through_a_function() -> None:
    lamp = Lamp(kind="desk", notes={"a": "b"})
    opened = copier(Lamp, OpenLamp, notes=dict)(lamp)
    assert opened == OpenLamp(kind="desk", watts=5, notes={"a": "b"})
    opened.notes["c"] = "d"
    opened.watts = 7
    assert lamp == Lamp(kind="desk", notes={"a": "b"})
    assert copier(OpenLamp, Lamp)(opened) == Lamp(kind="desk", watts=7, notes={"a": "b", "c": "d"})


def test_a_copier_between_classes_of_different_fields_is_refused() -> None:
    dimmed = dataclass(slots=True, kw_only=True)(type("Dimmed", (), {"__annotations__": {"kind": str}}))
    with pytest.raises(TypeError, match="notes"):
        copier(dimmed, Lamp)
    with pytest.raises(TypeError, match="notes"):
        copier(Lamp, dimmed)


def test_a_class_that_has_more_to_do_when_it_is_made_is_refused() -> None:
    busy = type("Busy", (), {"__annotations__": {"kind": str}, "__post_init__": lambda self: None})
    with pytest.raises(TypeError, match="more to do"):
        maker(dataclass(slots=True, kw_only=True)(busy))
