"""How much each channel takes, and what the catalogue says on which day."""

from datetime import date
from decimal import Decimal

import pytest

from bot.core.catalogue import CarModel, Catalogue, Price
from bot.core.messages import Menu, MenuChoice, Message, Text
from bot.core.step.sending import is_too_long

CHOICES = (MenuChoice(choice_id="1", text="好"),)


@pytest.mark.parametrize(
    ("message", "channel", "too_long"),
    [
        (Menu(head="a" * 1024, choices=CHOICES), "kf", False),
        (Menu(head="a" * 1025, choices=CHOICES), "kf", True),
        (Menu(head="a" * 2048, choices=CHOICES), "oa", False),
        (Text(text="好" * 682), "kf", False),
        (Text(text="好" * 683), "kf", True),
        (Text(text="a" * 4000), "wecom", False),
        (Text(text="a" * 4001), "wecom", True),
    ],
)
def test_every_channel_has_its_own_limit_in_bytes(message: Message, channel: str, too_long: bool) -> None:
    assert is_too_long(message, channel) is too_long


@pytest.mark.parametrize(
    ("on", "trim", "amount"),
    [
        (date(2026, 9, 30), "", None),
        (date(2026, 10, 1), "", 159800),
        (date(2026, 10, 31), "", 159800),
        (date(2026, 11, 1), "", None),
        (date(2026, 11, 1), "长续航版", 183800),
        (date(2027, 1, 1), "长续航版", None),
        (date(2026, 10, 1), "没有的", None),
    ],
)
def test_a_price_is_named_only_while_it_holds_and_the_car_is_sold(on: date, trim: str, amount: int | None) -> None:
    since = date(2026, 10, 1)
    prices = {
        "": Price(amount=Decimal(159800), basis="指导价", as_of=since, valid_to=date(2026, 10, 31)),
        "长续航版": Price(amount=Decimal(183800), basis="指导价", as_of=since),
    }
    cars = Catalogue(models={"S5": CarModel(model="S5", prices=prices, valid_to=date(2026, 12, 31))})
    found = cars.price("S5", trim, on)
    assert (found.amount if found is not None else None) == amount
    assert cars.price("S6", trim, on) is None
