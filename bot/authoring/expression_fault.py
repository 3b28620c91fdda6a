"""What an author hears about an expression or a template that cannot be read."""

from typing import Literal

ExpressionRule = Literal["J012", "J015", "J017", "J090", "J222"]
"""J012 braces in a condition, J015 too large, J017 not of the language, J090 not built yet, J222 no `within`."""


class ExpressionFault(Exception):
    """An expression or template is refused. `offending` is the text to point at, empty when it is the whole.

    `cure`: what mends it, empty where the message says it.
    """

    def __init__(self, rule: ExpressionRule, message: str, offending: str = "", *, cure: str = "") -> None:
        super().__init__(f"{rule} {message}")
        self.rule: ExpressionRule = rule
        self.message = message
        self.offending = offending
        self.cure = cure
