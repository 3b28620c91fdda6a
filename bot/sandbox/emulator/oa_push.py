"""What an official account's platform pushes to us, and what its followers see when we answer badly."""

from collections.abc import Mapping

from bot.runtime.ports import Clock
from bot.sandbox.emulator.carrier import Answered, Outcome
from bot.sandbox.emulator.courier import Courier
from bot.sandbox.emulator.envelopes import BadAnswer, OaEnvelope
from bot.sandbox.emulator.numbers import Numbers
from bot.sandbox.emulator.oa_account import Follower, OfficialAccount, create_time
from bot.sandbox.emulator.parcels import Parcel
from bot.sandbox.emulator.traffic import Line, Traffic
from bot.sandbox.emulator.transcript import Bubble
from bot.sandbox.emulator.wire import XmlField, compose

FAILURE_TEXT = "该公众号提供的服务出现故障，请稍后再试"

_SILENT = frozenset({"unsubscribe", "TEMPLATESENDJOBFINISH"})
"""Events nobody waits in front of: a failure is not shown."""


class OaPush:
    """Composes an account's callbacks and takes their answers."""

    def __init__(self, *, courier: Courier, clock: Clock, numbers: Numbers, traffic: Traffic) -> None:
        self._courier = courier
        self._clock = clock
        self._numbers = numbers
        self._traffic = traffic

    def message(self, account: OfficialAccount, person: Follower, fields: Mapping[str, XmlField]) -> int:
        """Push an ordinary message; `fields` begin with MsgType. Returns its MsgId."""
        msg_id = self._numbers.next()
        envelope = self._envelope(account, person, int(self._clock.now().timestamp()))
        self._send(account, person, {**envelope, **fields, "MsgId": msg_id}, shows_failure=True)
        return msg_id

    def event(self, account: OfficialAccount, person: Follower, event: str, fields: Mapping[str, XmlField]) -> int:
        """Push an event, which has no id. Returns its CreateTime."""
        at = create_time(person, f"{event} {compose(fields)}", self._clock.now())
        head = self._envelope(account, person, at)
        body = {**head, "MsgType": "event", "Event": event, **fields}
        self._send(account, person, body, shows_failure=event not in _SILENT)
        return at

    def _envelope(self, account: OfficialAccount, person: Follower, at: int) -> dict[str, XmlField]:
        return {"ToUserName": account.settings.gh_id, "FromUserName": person.openid, "CreateTime": at}

    def _send(
        self, account: OfficialAccount, person: Follower, body: Mapping[str, XmlField], *, shows_failure: bool
    ) -> None:
        envelope = OaEnvelope(account=account.settings, chance=self._courier.chance)

        def settle(outcome: Outcome) -> None:
            try:
                reply = _reply(outcome, envelope)
                if reply is not None:
                    self._show(account, person, reply)
            except BadAnswer as bad:
                self._fail(account, person, str(bad), shown=shows_failure)

        self._courier.send(
            Parcel(
                platform="oa",
                account=account.settings.name,
                sender=person.openid,
                url=account.callback_url,
                kind=_kind(body),
                inner=compose(body),
                envelope=envelope,
                settle=settle,
            )
        )

    def _show(self, account: OfficialAccount, person: Follower, reply: Mapping[str, str]) -> None:
        if (reply.get("ToUserName"), reply.get("FromUserName")) != (person.openid, account.settings.gh_id):
            raise BadAnswer("reply is addressed to somebody else")
        person.chat.add(_passive(reply, self._clock))

    def _fail(self, account: OfficialAccount, person: Follower, why: str, *, shown: bool) -> None:
        self._traffic.append(
            Line(
                direction="note",
                platform="oa",
                endpoint="callback answer",
                account=account.settings.name,
                request={"openid": person.openid},
                verdict=f"malformed: {why}",
            )
        )
        if shown:
            person.chat.add(Bubble(side="system", text=FAILURE_TEXT, at=self._clock.now()))


def _kind(body: Mapping[str, XmlField]) -> str:
    return str(body["Event"] if body["MsgType"] == "event" else body["MsgType"])


def _reply(outcome: Outcome, envelope: OaEnvelope) -> Mapping[str, str] | None:
    """The fields of a passive reply, None for a bare acknowledgement. BadAnswer: neither, or no answer at all."""
    if not isinstance(outcome, Answered):
        raise BadAnswer(outcome.why)
    if outcome.body in (b"", b"success"):
        return None
    try:
        return envelope.unpack(outcome.body.decode())
    except UnicodeDecodeError as error:
        raise BadAnswer("answer is not UTF-8") from error


def _passive(reply: Mapping[str, str], clock: Clock) -> Bubble:
    at = clock.now()
    match reply.get("MsgType"):
        case "text" if reply.get("Content"):
            return Bubble(side="them", text=reply["Content"], at=at)
        case "image" if reply.get("Image.MediaId"):
            return Bubble(side="them", kind="image", media_id=reply["Image.MediaId"], at=at)
        case "news" if reply.get("Articles.item.Title"):
            # Only the first article shows in answer to a person (wechat-api.md 1.6).
            title, about = reply["Articles.item.Title"], reply.get("Articles.item.Description", "")
            return Bubble(side="them", text=title, title=title, description=about, at=at)
        case other:
            raise BadAnswer(f"passive reply of type `{other}` is not understood")
