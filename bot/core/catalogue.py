"""The cars that are sold: what buyers may name, and until when a price holds (content/models.yaml)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """`amount` in yuan; `basis` says what it is (官方指导价). It holds from `as_of` to `valid_to`, both included."""

    amount: Decimal
    basis: str
    as_of: date
    valid_to: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it may be named on that day."""
        return self.as_of <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarModel:
    """`aliases` are other spellings of `model`. Sold from `valid_from` to `valid_to`, both included; None: open."""

    model: str
    aliases: tuple[str, ...] = ()
    trims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    """By trim; under the empty name, of the model itself."""
    valid_from: date | None = None
    valid_to: date | None = None

    def is_sold(self, on: date) -> bool:
        """Whether it can be bought on that day."""
        begun = self.valid_from is None or self.valid_from <= on
        return begun and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Kinds of things with a name, by kind (车型), then by name. Cars are the only kind so far."""

    models: Mapping[str, CarModel] = field(default_factory=dict)

    def price(self, model: str, trim: str, on: date) -> Price | None:
        """What `model` costs on that day, with `trim` that trim; an empty trim is the model itself.

        None: there is no such car or price, it is not sold, or the price does not hold that day.
        """
        car = self.models.get(model)
        price = car.prices.get(trim) if car is not None and car.is_sold(on) else None
        return price if price is not None and price.holds(on) else None
