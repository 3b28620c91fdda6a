"""What a WeCom application's platform pushes to us, and what it makes of our answers."""

from collections.abc import Mapping

from bot.runtime.ports import Clock
from bot.sandbox.emulator.carrier import Answered, Outcome
from bot.sandbox.emulator.courier import Courier
from bot.sandbox.emulator.envelopes import BadAnswer, WecomEnvelope
from bot.sandbox.emulator.numbers import Numbers
from bot.sandbox.emulator.parcels import Parcel
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.wecom_app import Member, WecomApp
from bot.sandbox.emulator.wire import XmlField, compose


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
        envelope = WecomEnvelope(account=app.settings, chance=self._courier.chance)
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
                kind=str(body["Event"] if body["MsgType"] == "event" else body["MsgType"]),
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
