"""How long the values that stand in texts may get, as far as the files say: options, types, `length(value) <= n`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.authoring.drafts import Drafts
from bot.authoring.read_journey import JourneyDraft
from bot.core.expressions.tree import Both, Call, Compare, Constant, Filter, Name, Node
from bot.core.slots import Slot
from bot.core.step.offering import TEXT_MAX

FREE_CHARACTERS = 12
"""What a customer typed and nothing limits, such as her name, is counted as so many characters."""
SHORT = 24
"""Numbers, dates, times, masked phones."""
_LONG_TYPES = frozenset({"text", "city", "location", "entity", "choice"})
_NARROW = frozenset({"phone", "score", "points", "id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum:
    """`options`: it is one of these. `narrow`: figures and the like, one byte each."""

    characters: int = FREE_CHARACTERS
    narrow: bool = False
    options: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """Bytes at most, where a character that is no figure is Chinese."""
        typed = self.characters if self.narrow else self.characters * len("字".encode())
        return max((len(option.encode()) for option in self.options), default=typed)


_FREE = Maximum()
_NUMBER = Maximum(characters=SHORT, narrow=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maxima:
    """The maximum of every name that files say something about, by its path."""

    known: Mapping[tuple[str, ...], Maximum]

    def of(self, path: tuple[str, ...]) -> Maximum:
        """How long the value at `path` may get; 12 characters where nobody says."""
        found = self.known.get(path)
        if found is not None:
            return found
        return _NUMBER if path[-1] in _NARROW or path in (("now",), ("today",)) else _FREE


Saved = Mapping[tuple[str, ...], Maximum]


def saved_of(drafts: Drafts) -> Saved:
    """What is known of the customer's attributes: by their types, and by the slots of any journey that are saved."""
    known: dict[tuple[str, ...], Maximum] = {}
    for path, found in _of_customer(drafts):
        _longer(known, path, found)
    return known


def maxima_of(saved: Saved, journeys: Iterable[JourneyDraft]) -> Maxima:
    """The same with what is known of the values of these journeys; of several of one name the longest."""
    known = dict(saved)
    for path, found in _of_journeys(journeys):
        _longer(known, path, found)
    return Maxima(known=known)


def _longer(known: dict[tuple[str, ...], Maximum], path: tuple[str, ...], found: Maximum) -> None:
    before = known.get(path)
    if before is None or before.weight < found.weight:
        known[path] = found


def _of_journeys(journeys: Iterable[JourneyDraft]) -> Iterator[tuple[tuple[str, ...], Maximum]]:
    for draft in journeys:
        for slot in draft.journey.slots.values():
            yield ("slots", slot.name), _of_slot(slot)
        for name, variable in draft.journey.vars.items():
            if variable.options:
                yield ("vars", name), Maximum(options=variable.options)
            elif variable.type not in ("text", "list", "record"):
                yield ("vars", name), _NUMBER


def _of_customer(drafts: Drafts) -> Iterator[tuple[tuple[str, ...], Maximum]]:
    attributes = drafts.attributes.attributes if drafts.attributes else {}
    for name, attribute in attributes.items():
        if attribute.options:
            yield ("customer", name), Maximum(options=attribute.options)
        elif attribute.type not in _LONG_TYPES:
            yield ("customer", name), _NUMBER
        if isinstance(attribute.default, str):
            yield ("customer", name), Maximum(options=(attribute.default,))
    for draft in drafts.journeys.values():
        for slot in draft.journey.slots.values():
            if slot.save:
                yield tuple(slot.save.split(".")), _of_slot(slot)


def _of_slot(slot: Slot) -> Maximum:
    if slot.options:
        return Maximum(options=tuple(slot.options))
    if slot.options_from is not None:
        return Maximum(characters=TEXT_MAX)
    if slot.type not in _LONG_TYPES:
        return _NUMBER
    limit = min(limits(slot.check.tree), default=None) if slot.check is not None else None
    return _FREE if limit is None else Maximum(characters=limit)


def limits(node: Node) -> Iterator[int]:
    """The most characters that each part of a check allows: `length(value) <= 12`, `20 > length(value)`."""
    match node:
        case Both(op="and", operands=operands):
            for operand in operands:
                yield from limits(operand)
        case Compare(op=("<=" | "<") as op, left=left, right=Constant(value=int() as most)) if _is_length(left):
            yield max(0, most - (op == "<"))
        case Compare(op=(">=" | ">") as op, left=Constant(value=int() as most), right=right) if _is_length(right):
            yield max(0, most - (op == ">"))
        case _:
            return


def _is_length(node: Node) -> bool:
    match node:
        case Call(name="length", arguments=(Name(path=("value",)),)):
            return True
        case Filter(name="length", operand=Name(path=("value",))):
            return True
        case _:
            return False
