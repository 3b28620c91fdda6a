"""What people do with their phones, as an action dict of the control interface or of the phone page."""

from collections.abc import Mapping

from bot.errors import BotError
from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.forms import Form
from bot.sandbox.emulator.wire import Json, unwritable

TEXT_CHARACTERS_MAX = 4096


class Impossible(BotError):
    """Nobody can do this on a phone now. The message is Chinese, for the page that offered it."""

    code = "impossible"


class NotPlayed(BotError):
    """A deed that the emulator does not play. The message is Chinese, and says why."""

    code = "not_played"


class Deed:
    """One action: `do` names it, the rest are its fields. Impossible: a field is missing or not a text."""

    def __init__(self, action: Mapping[str, Json]) -> None:
        self._form = Form(action, bad=0)
        self.do = self.need("do")

    def need(self, key: str) -> str:
        """The text at `key`; it must be there."""
        found = self.text(key)
        if not found:
            raise Impossible(f"动作缺少 `{key}`")
        return found

    def text(self, key: str, default: str = "") -> str:
        """The text at `key`, `default` when absent."""
        try:
            found = self._form.text(key)
        except Denial as error:
            raise Impossible(f"`{key}` 必须是文字") from error
        if len(found) > TEXT_CHARACTERS_MAX:
            raise Impossible(f"`{key}` 超过 {TEXT_CHARACTERS_MAX} 个字符")
        if unwritable(found):
            raise Impossible(f"`{key}` 含有手机输入不了的字符")
        return found or default
