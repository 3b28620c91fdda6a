"""What members do in front of a WeCom application."""

from collections.abc import Callable, Mapping

from bot.runtime.ports import Clock
from bot.sandbox.emulator.deeds import Deed, Impossible
from bot.sandbox.emulator.transcript import Bubble
from bot.sandbox.emulator.wecom_app import Member, WecomApp
from bot.sandbox.emulator.wecom_push import WecomPush
from bot.sandbox.emulator.wire import Json, XmlField

_CARD_TYPE = "button_interaction"


class Staff:
    """Plays the deeds of members."""

    def __init__(self, *, apps: Mapping[str, WecomApp], push: WecomPush, clock: Clock) -> None:
        self._apps = apps
        self._push = push
        self._clock = clock
        self._deeds: dict[str, Callable[[WecomApp, Member, Deed], dict[str, Json]]] = {
            "click": self._click,
            "staff_say": self._say,
        }

    def plays(self, do: str) -> bool:
        """Whether `do` is a member's deed."""
        return do in self._deeds

    def act(self, deed: Deed) -> dict[str, Json]:
        """Play one deed. Impossible: it cannot be done now."""
        app, member = self._find(deed.text("account"), deed.need("staff_id"))
        return self._deeds[deed.do](app, member, deed)

    def _find(self, name: str, staff_id: str) -> tuple[WecomApp, Member]:
        for app in self._apps.values():
            if staff_id in app.members and name in ("", app.settings.name):
                return app, app.members[staff_id]
        raise Impossible(f"没有能看到应用的成员 `{staff_id}`")

    def _click(self, app: WecomApp, member: Member, deed: Deed) -> dict[str, Json]:
        task_id, key = deed.need("task_id"), deed.need("key")
        card = member.chat.card(task_id)
        if card is None:
            raise Impossible(f"`{member.name}` 没有编号为 `{task_id}` 的卡片")
        if not any(button.key == key and not button.disabled for button in card.buttons):
            raise Impossible(f"卡片上没有可以按的按钮 `{key}`")
        fields: dict[str, XmlField] = {
            "EventKey": key,
            "TaskId": task_id,
            "CardType": _CARD_TYPE,
            "ResponseCode": app.issue_code(task_id, self._clock.now()),
        }
        self._push.event(app, member, "template_card_event", fields)
        return {}

    def _say(self, app: WecomApp, member: Member, deed: Deed) -> dict[str, Json]:
        text = deed.need("text")
        member.chat.add(Bubble(side="me", text=text, at=self._clock.now()))
        return {"msg_id": self._push.message(app, member, text)}
