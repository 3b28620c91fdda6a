"""`content/models.yaml`: the cars that are sold, what buyers may call them, what they cost and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, as_scalar, bounded, fields_of
from bot.authoring.nodes import Entry, Listing, Node, Scalar
from bot.authoring.page import Page
from bot.authoring.read_journey import check_dsl
from bot.core.catalogue import CarModel, Catalogue, Price
from bot.understanding import normalise

NAME_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueDraft:
    catalogue: Catalogue
    page: Page


def read_catalogue(page: Page, root: Node) -> CatalogueDraft | None:
    """The cars, None (after findings) when the file holds no table. J210: two cars of one name."""
    fields = fields_of(page, root, vocabulary.MODELS)
    if fields is None:
        return None
    check_dsl(fields)
    found: dict[str, CarModel] = {}
    owners: dict[str, str] = {}
    for entry in fields.entries("models"):
        inner = fields_of(page, entry.value, vocabulary.MODEL)
        if inner and _is_name(page, entry.key):
            found[entry.key.text] = _model(entry.key, inner, owners)
    return CatalogueDraft(catalogue=Catalogue(models=found), page=page)


def _is_name(page: Page, scalar: Scalar) -> bool:
    if normalise(scalar.text) and len(scalar.text) <= NAME_MAX:
        return True
    page.say("J008", scalar, f"“{scalar.text[:NAME_MAX]}” 不能作为名字", help=f"要有文字或数字，最长 {NAME_MAX} 字")
    return False


def _model(key: Scalar, fields: Fields, owners: dict[str, str]) -> CarModel:
    aliases = tuple(scalar for scalar in fields.scalars("aliases") if _is_name(fields.page, scalar))
    for scalar in (key, *aliases):
        owner = owners.setdefault(normalise(scalar.text), key.text)
        if owner != key.text:
            message = f"“{scalar.text}” 同时是 {owner} 与 {key.text} 的叫法"
            fields.page.say("J210", scalar, message, help="只留给一个车型")
    trims = {entry.key.text: _texts(fields.page, entry) for entry in fields.entries("trims")}
    since, until = fields.parsed("valid_from", literals.day, None), fields.parsed("valid_to", literals.day, None)
    if since and until and until < since:
        fields.page.say("J008", fields.key("valid_to"), "valid_to 早于 valid_from：这个车型永远不在售")
    return CarModel(
        model=key.text,
        aliases=tuple(scalar.text for scalar in aliases),
        trims=trims,
        prices=_prices(fields, trims),
        valid_from=since,
        valid_to=until,
    )


def _texts(page: Page, entry: Entry) -> tuple[str, ...]:
    nodes: tuple[Node, ...] = entry.value.nodes if isinstance(entry.value, Listing) else (entry.value,)
    scalars = (as_scalar(page, node) for node in bounded(page, nodes))
    return tuple(scalar.text for scalar in scalars if scalar)


def _prices(fields: Fields, trims: Mapping[str, tuple[str, ...]]) -> dict[str, Price]:
    """By trim; under `model` (the empty name in the catalogue) stands the price of the model itself."""
    found: dict[str, Price] = {}
    for entry in fields.entries("prices"):
        trim = "" if entry.key.text == "model" else entry.key.text
        if trim and trim not in trims:
            known = "、".join(trims) or "（没有）"
            fields.page.say(
                "J213", entry.key, f"款型 “{trim}” 没有在 trims 里声明", help=f"已声明：{known}；整车写 model"
            )
        inner = fields_of(fields.page, entry.value, vocabulary.PRICE)
        price = _price(inner) if inner else None
        if price:
            found[trim] = price
    return found


def _price(fields: Fields) -> Price | None:
    amount, basis = fields.parsed("amount", literals.amount, None), fields.text("basis")
    as_of: date | None = fields.parsed("as_of", literals.day, None)
    until: date | None = fields.parsed("valid_to", literals.day, None)
    if as_of and until and until < as_of:
        fields.page.say("J008", fields.key("valid_to"), "valid_to 早于 as_of：这个价格从未有效")
    if amount is None or not basis or as_of is None:
        return None
    return Price(amount=amount, basis=basis, as_of=as_of, valid_to=until)
