"""The official account's server API (wechat-api.md 3.1 to 3.7), as far as the product calls it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.endpoints import Answer, Call, Endpoint, ok
from bot.sandbox.emulator.forms import Form
from bot.sandbox.emulator.numbers import Numbers
from bot.sandbox.emulator.oa_account import Follower, OfficialAccount
from bot.sandbox.emulator.oa_messages import custom_message, template_message
from bot.sandbox.emulator.oa_push import OaPush
from bot.sandbox.emulator.tokens import Grant
from bot.sandbox.emulator.wire import Json

_Answering: TypeAlias = Callable[[Call], Answer]

CALLBACK_IPS: list[Json] = ["127.0.0.1"]


class OaApi:
    """Answers for all official accounts; the access token tells which one is calling."""

    def __init__(self, accounts: Mapping[str, OfficialAccount], push: OaPush, numbers: Numbers) -> None:
        self._accounts = accounts
        self._push = push
        self._numbers = numbers

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint of this platform that the emulator plays."""
        return (
            self._post("stable_token", self._stable_token, grants=True),
            self._get("token", self._token, grants=True),
            self._get("getcallbackip", self._callback_ips),
            self._get("user/info", self._person),
            self._post("message/custom/send", self._custom, sends=True),
            self._post("message/custom/typing", self._typing),
            self._post("message/template/send", self._template, sends=True),
        )

    def _get(self, name: str, answer: _Answering, *, grants: bool = False) -> Endpoint:
        path = f"/cgi-bin/{name}"
        return Endpoint(platform="oa", method="GET", path=path, answer=answer, account=self._named, grants=grants)

    def _post(self, name: str, answer: _Answering, *, sends: bool = False, grants: bool = False) -> Endpoint:
        return replace(self._get(name, answer, grants=grants), method="POST", sends=sends)

    def _named(self, query: Mapping[str, str], body: Mapping[str, Json]) -> str:
        """The account of a request, empty when it is nobody's."""
        token, app_id = query.get("access_token", ""), query.get("appid", body.get("appid"))
        for name, account in self._accounts.items():
            if account.tokens.owns(token) or account.settings.app_id == app_id:
                return name
        return ""

    def owns(self, token: str) -> bool:
        """Whether any account issued `token`."""
        return any(account.tokens.owns(token) for account in self._accounts.values())

    def _stable_token(self, call: Call) -> Answer:
        form = call.form()
        account = self._applicant(form)
        force = form.flag("force_refresh")
        form.finish()
        return _granted(account, account.tokens.stable(call.now, force=force))

    def _token(self, call: Call) -> Answer:
        form = call.asked()
        account = self._applicant(form)
        form.finish()
        return _granted(account, account.tokens.plain(call.now))

    def _applicant(self, form: Form) -> OfficialAccount:
        if form.text("grant_type") != "client_credential":
            raise Denial(40002)
        app_id, secret = form.need("appid", 41002), form.need("secret", 41004)
        for account in self._accounts.values():
            if account.settings.app_id == app_id:
                if account.settings.secret != secret:
                    raise Denial(40125)
                return account
        raise Denial(40013)

    def _caller(self, call: Call) -> OfficialAccount:
        if not call.token:
            raise Denial(41001)
        for account in self._accounts.values():
            if account.tokens.owns(call.token):
                account.tokens.check(call.token, call.now)
                return account
        raise Denial(40014)

    def _callback_ips(self, call: Call) -> Answer:
        account = self._caller(call)
        call.asked().finish()
        return Answer(account=account.settings.name, body={"ip_list": CALLBACK_IPS})

    def _person(self, call: Call) -> Answer:
        account = self._caller(call)
        form = call.asked()
        openid = form.need("openid", 40003)
        form.ignore("lang").finish()
        person = account.known(openid)
        if person is None:
            raise Denial(40003)
        return Answer(account=account.settings.name, body=_profile(account, person))

    def _custom(self, call: Call) -> Answer:
        account = self._caller(call)
        form = call.form()
        person = account.receiver(form.need("touser", 40003))
        bubble = custom_message(form, account, call.now)
        form.finish()
        if person.blocking:
            raise Denial(48002)
        person.ledger.take(call.now)
        if not call.dropped:
            person.chat.add(bubble)
        return Answer(account=account.settings.name, body=ok(), verdict=_DROPPED if call.dropped else "ok")

    def _typing(self, call: Call) -> Answer:
        account = self._caller(call)
        form = call.form()
        account.receiver(form.need("touser", 40003))
        if form.text("command") not in ("Typing", "CancelTyping"):
            raise form.wrong("command", "is neither Typing nor CancelTyping")
        form.finish()
        return Answer(account=account.settings.name, body=ok())

    def _template(self, call: Call) -> Answer:
        account = self._caller(call)
        form = call.form()
        person = account.receiver(form.need("touser", 40003))
        bubble = template_message(form, account.template(form.need("template_id", 40037)), call.now)
        key = form.text("client_msg_id")
        form.ignore("url", "topcolor")
        form.form("miniprogram").ignore("appid", "pagepath").finish()
        form.finish()
        earlier = account.earlier_job(person.openid, key, call.now)
        if earlier is not None:
            return Answer(account=account.settings.name, body=ok(msgid=earlier), verdict="duplicate client_msg_id")
        msg_id = self._numbers.next()
        account.remember_job(person.openid, key, (msg_id, call.now))
        if call.dropped or not account.admits_template(call.now):
            return Answer(account=account.settings.name, body=ok(msgid=msg_id), verdict=_DROPPED)
        if not person.blocking:
            person.chat.add(bubble)
        status = "failed:user block" if person.blocking else "success"
        self._push.event(account, person, "TEMPLATESENDJOBFINISH", {"MsgID": msg_id, "Status": status})
        return Answer(account=account.settings.name, body=ok(msgid=msg_id), verdict=f"ok, {status}")


_DROPPED = "ok, silently dropped"


def _granted(account: OfficialAccount, grant: Grant) -> Answer:
    return Answer(account=account.settings.name, body={"access_token": grant.token, "expires_in": grant.expires_in})


def _profile(account: OfficialAccount, person: Follower) -> dict[str, Json]:
    if not person.following or person.followed_at is None:
        return {"subscribe": 0, "openid": person.openid}
    profile: dict[str, Json] = {
        "subscribe": 1,
        "openid": person.openid,
        "language": "zh_CN",
        "subscribe_time": int(person.followed_at.timestamp()),
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if person.scene else "ADD_SCENE_SEARCH",
        "qr_scene": 0,
        "qr_scene_str": person.scene,
    }
    if account.settings.bound:
        digest = hashlib.sha256(f"unionid {person.openid}".encode()).hexdigest()
        profile["unionid"] = f"o{digest[:27]}"
    return profile
