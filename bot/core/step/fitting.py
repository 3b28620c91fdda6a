"""What is handed to a journey, brought to the types of its variables."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from bot.core.events import Json
from bot.core.expressions.values import EvaluationFault
from bot.core.journey import Journey
from bot.core.library import Attribute
from bot.core.slots import Var
from bot.core.step.copies import Run
from bot.core.step.draft import Draft

_FLAGS: Mapping[str, bool] = {"true": True, "false": False}


def fitting(journey: Journey, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """Those of `arguments` that are variables of `journey`, typed as it declares them.

    EvaluationFault `expr.type`: one can be no such value.
    """
    return {name: _fitted(journey.vars[name], value) for name, value in arguments.items() if name in journey.vars}


def _fitted(var: Var, value: Json) -> Json:
    match var.type:
        case "number" | "money" if isinstance(value, str):
            return _number(value)
        case "bool" if isinstance(value, str):
            if value.strip() in ("", *_FLAGS):
                return _FLAGS.get(value.strip())
            raise EvaluationFault("expr.type", "要真/假，得到别的文字")
        case "text" if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        case "list" if value is not None and not isinstance(value, list):
            raise EvaluationFault("expr.type", "要列表，得到别的")
        case "record" if value is not None and not isinstance(value, dict):
            raise EvaluationFault("expr.type", "要记录，得到别的")
        case "choice" if value is not None and var.options and value not in var.options:
            raise EvaluationFault("expr.type", "不是可用的选项")
    return value


def check_option(draft: Draft, run: Run | None, target: str, value: Json) -> None:
    """Let pass what may be put into `target` (`vars.NAME`, `customer.NAME`); null takes back what was there.

    EvaluationFault `expr.type`: it is a choice that has no such option.
    """
    root, _, name = target.partition(".")
    declared: Attribute | Var | None = None
    if root == "customer":
        declared = draft.program.library.attributes.get(name)
    elif root == "vars" and run is not None:
        declared = draft.program.journey(run.journey).vars.get(name)
    if declared is not None and declared.options and value is not None and value not in declared.options:
        raise EvaluationFault("expr.type", f"{target} 没有这个选项")


def _number(text: str) -> Json:
    if not text.strip():
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise EvaluationFault("expr.type", "要数，得到文字") from None
    if not number.is_finite():
        raise EvaluationFault("expr.type", "要数，得到文字")
    return int(number) if number == number.to_integral_value() else float(number)
