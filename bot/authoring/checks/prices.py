"""Prices that texts and conditions read from the catalogue: the car exists, and its price may be named today.

Rules J213 and J313.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from bot.authoring.drafts import Drafts
from bot.authoring.page import Formula, Page
from bot.authoring.shelf import MODELS
from bot.authoring.suggest import meant
from bot.core.catalogue import CarModel, Catalogue, Price
from bot.core.expressions.analyse import calls
from bot.core.expressions.tree import Constant, Expression, Node

_FAMILY = "car."
_HELP = f"在 content/{MODELS} 里更新价格，或不再提它"
_SHOWN_MAX = 5


def check(drafts: Drafts) -> None:
    """Report cars that are not in the catalogue, and prices that read as null today."""
    if MODELS in drafts.unread:
        return
    catalogue = drafts.catalogue.catalogue if drafts.catalogue else Catalogue()
    for page in drafts.pages():
        for formula in page.formulas:
            tree = formula.tree.tree if isinstance(formula.tree, Expression) else formula.tree
            asked = dict.fromkeys(call.arguments for call in calls(tree) if call.name.startswith(_FAMILY))
            for arguments in asked:
                _asked(page, formula, arguments, catalogue, drafts.today)


def _asked(page: Page, formula: Formula, arguments: tuple[Node, ...], catalogue: Catalogue, today: date | None) -> None:
    model, trim = _written(arguments[0]), _written(arguments[1]) if len(arguments) > 1 else ""
    if model is None:
        late = [] if today is None else [one for car in catalogue.models.values() for one in _expired(car, today)]
        if late:
            message = f"会读到已经过期的价格：{'；'.join(late[:_SHOWN_MAX])}"
            page.say("J313", page.inside(formula.span, _FAMILY), message, help=_HELP, dated=True)
        return
    spot = page.inside(formula.span, model)
    car = catalogue.models.get(model)
    if car is None:
        known = "、".join(catalogue.models) or "（没有）"
        message = f"content/{MODELS} 里没有车型 “{model}”{meant(model, sorted(catalogue.models))}"
        page.say("J213", spot, message, help=f"已有：{known}")
    elif trim is not None:
        why = _why_null(car, trim, today)
        if why:
            message = f"{car.model}{trim and f' {trim}'} {why}：这里会是空的"
            page.say("J313", spot, message, help=_HELP, dated=trim in car.prices)


def _written(node: Node) -> str | None:
    return node.value if isinstance(node, Constant) and isinstance(node.value, str) else None


def _why_null(car: CarModel, trim: str, today: date | None) -> str:
    """Why no price can be named today, empty: it can."""
    price = car.prices.get(trim)
    if price is None:
        return "没有价格"
    if today is None:
        return ""
    if not car.is_sold(today):
        return "今天不在售"
    if today < price.as_of:
        return f"的价格 {price.as_of.isoformat()} 起才有效"
    return "" if price.holds(today) else f"的价格 {_end(price)} 已过期"


def _expired(car: CarModel, today: date) -> Iterator[str]:
    """The prices of a car that is sold which have run out."""
    for trim, price in _sold(car, today):
        if price.valid_to is not None and price.valid_to < today:
            yield f"{car.model}{trim and f' {trim}'}（{_end(price)}）"


def _sold(car: CarModel, today: date) -> Iterable[tuple[str, Price]]:
    return car.prices.items() if car.is_sold(today) else ()


def _end(price: Price) -> str:
    return price.valid_to.isoformat() if price.valid_to is not None else ""
