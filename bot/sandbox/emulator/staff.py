"""What members do in front of a WeCom application."""

from collections.abc import Callable, Mapping

from bot.runtime.ports import Clock
from bot.sandbox.emulator.courier import Answered, Courier, Outcome, Parcel
from bot.sandbox.emulator.deeds import Deed, Impossible
from bot.sandbox.emulator.envelopes import BadAnswer, WecomEnvelope
from bot.sandbox.emulator.numbers import Numbers
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.transcript import Bubble
from bot.sandbox.emulator.wecom_app import Member, WecomApp
from bot.sandbox.emulator.wire import Json, XmlField, compose

_CARD_TYPE = "button_interaction"


class WecomPush:
    """Composes an application's callbacks and judges their answers."""

    def __init__(self, *, courier: Courier, clock: Clock, numbers: Numbers, traffic: Traffic) -> None:
        self._courier = courier
        self._clock = clock
        self._numbers = numbers
        self._traffic = traffic

    def message(self, app: WecomApp, member: Member, text: str) -> int:
        """Push a text that `member` wrote to the application. Returns its MsgId."""
        msg_id = self._numbers.next()
        self._send(app, member, {"MsgType": "text", "Content": text, "MsgId": msg_id})
        return msg_id

    def event(self, app: WecomApp, member: Member, event: str, fields: Mapping[str, XmlField]) -> None:
        """Push an event."""
        self._send(app, member, {"MsgType": "event", "Event": event, **fields})

    def _send(self, app: WecomApp, member: Member, fields: Mapping[str, XmlField]) -> None:
        envelope = WecomEnvelope(account=app.settings)
        body: dict[str, XmlField] = {
            "ToUserName": app.settings.corp_id,
            "FromUserName": member.staff_id,
            "CreateTime": int(self._clock.now().timestamp()),
            **fields,
            "AgentID": app.settings.agent_id,
        }

        def settle(outcome: Outcome) -> None:
            self._judge(app, outcome, envelope)

        self._courier.send(
            Parcel(
                platform="wecom",
                account=app.settings.name,
                sender=member.staff_id,
                url=app.callback_url,
                inner=compose(body),
                envelope=envelope,
                settle=settle,
            )
        )

    def _judge(self, app: WecomApp, outcome: Outcome, envelope: WecomEnvelope) -> None:
        """Any 200 ends the retries; what cannot be read is noted, since members see nothing of it."""
        if not isinstance(outcome, Answered) or outcome.body in (b"", b"success"):
            return
        try:
            kind = envelope.unpack(outcome.body.decode()).get("MsgType")
            verdict = f"passive reply of type `{kind}` is not played"
        except (BadAnswer, UnicodeDecodeError) as bad:
            verdict = f"malformed: {bad}"
        line = Line(
            direction="note",
            platform="wecom",
            endpoint="callback answer",
            account=app.settings.name,
            verdict=verdict,
            unfaithful=True,
        )
        self._traffic.append(line)


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
