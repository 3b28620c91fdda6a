"""The WeCom server API of self-built applications (wechat-api.md 4), as far as the product calls it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.endpoints import Answer, Call, Endpoint, ok
from bot.sandbox.emulator.forms import Form
from bot.sandbox.emulator.numbers import Numbers
from bot.sandbox.emulator.transcript import Bubble
from bot.sandbox.emulator.wecom_app import Member, ResponseCode, WecomApp
from bot.sandbox.emulator.wecom_cards import check_task_id, grey, read_card
from bot.sandbox.emulator.wecom_messages import app_message
from bot.sandbox.emulator.wire import Json

_Answering: TypeAlias = Callable[[Call], Answer]

RECEIVERS_MAX = 1000
DUPLICATE_INTERVAL_S = 1800
DUPLICATE_INTERVAL_MAX_S = 14_400


class WecomApi:
    """Answers for all applications; the access token tells which one is calling."""

    def __init__(self, apps: Mapping[str, WecomApp], numbers: Numbers) -> None:
        self._apps = apps
        self._numbers = numbers

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint of this platform that the emulator plays."""
        return (
            self._get("gettoken", self._token, grants=True),
            self._get("getcallbackip", self._callback_ips),
            self._post("message/send", self._send),
            self._post("message/update_template_card", self._update),
        )

    def _get(self, name: str, answer: _Answering, *, grants: bool = False) -> Endpoint:
        path = f"/cgi-bin/{name}"
        return Endpoint(platform="wecom", method="GET", path=path, answer=answer, account=self._named, grants=grants)

    def _post(self, name: str, answer: _Answering) -> Endpoint:
        return replace(self._get(name, answer), method="POST", sends=True)

    def _named(self, query: Mapping[str, str], _body: Mapping[str, Json]) -> str:
        """The application of a request, empty when it is nobody's."""
        token, asked = query.get("access_token", ""), (query.get("corpid"), query.get("corpsecret"))
        for name, app in self._apps.items():
            if app.tokens.owns(token) or (app.settings.corp_id, app.settings.secret) == asked:
                return name
        return ""

    def owns(self, token: str) -> bool:
        """Whether any application issued `token`."""
        return any(app.tokens.owns(token) for app in self._apps.values())

    def _token(self, call: Call) -> Answer:
        form = call.asked()
        corp_id, secret = form.need("corpid", 41002), form.need("corpsecret", 41004)
        form.finish()
        of_corp = [app for app in self._apps.values() if app.settings.corp_id == corp_id]
        if not of_corp:
            raise Denial(40013)
        for app in of_corp:
            if app.settings.secret == secret:
                grant = app.tokens.get(call.now)
                return _answer(app, access_token=grant.token, expires_in=grant.expires_in)
        raise Denial(40001)

    def _caller(self, call: Call) -> WecomApp:
        if not call.token:
            raise Denial(41001)
        for app in self._apps.values():
            if app.tokens.owns(call.token):
                app.tokens.check(call.token, call.now)
                return app
        raise Denial(40014)

    def _callback_ips(self, call: Call) -> Answer:
        app = self._caller(call)
        call.asked().finish()
        return _answer(app, ip_list=["127.0.0.1"])

    def _send(self, call: Call) -> Answer:
        app = self._caller(call)
        form = call.form()
        _check_agent(form, app)
        members, invalid = _receivers(form, app)
        bubble = app_message(form, app, call)
        interval = _duplicate_interval(form)
        form.ignore("safe", "enable_id_trans").finish()
        if not members:
            raise Denial(81013)
        reply = ok(invaliduser="|".join(invalid), invalidparty="", invalidtag="", msgid=str(self._numbers.next()))
        content = json.dumps([call.body.get("touser"), bubble.kind, call.body.get(str(call.body["msgtype"]))])
        if interval is not None and app.repeats(content, now=call.now, interval=interval):
            return Answer(account=app.settings.name, body=reply, verdict="dropped: duplicate content")
        if bubble.kind == "card":
            app.claim_task(bubble.task_id)
            reply["response_code"] = app.issue_code(bubble.task_id, call.now)
        delivered = [] if call.dropped else [m for m in members if _deliver(app, m, bubble, call.now)]
        dropped = [member.staff_id for member in members if member not in delivered]
        verdict = f"ok, silently dropped for {', '.join(dropped)}" if dropped else "ok"
        return Answer(account=app.settings.name, body=reply, verdict=verdict)

    def _update(self, call: Call) -> Answer:
        app = self._caller(call)
        form = call.form()
        _check_agent(form, app)
        members, invalid = _updated(form, app)
        if not members:
            raise Denial(81013)
        code = app.valid_code(form.need("response_code", 60140), call.now)
        if form.has("button") == form.has("template_card"):
            raise form.wrong("button", "or template_card: exactly one is wanted")
        new = _button_update(form) if form.has("button") else self._card_update(form, app, code)
        form.finish()
        app.spend(code)
        for member in members if not call.dropped else ():
            old = member.chat.card(code.task_id)
            if old is not None:
                member.chat.change(old, _changed(old, new))
        return _answer(app, invaliduser=list(invalid))

    def _card_update(self, form: Form, app: WecomApp, code: ResponseCode) -> Bubble:
        draft = read_card(form.form("template_card"))
        outer = form.text("replace_text")
        if outer:
            draft = replace(draft, replace_text=outer)
        task_id = draft.task_id or code.task_id
        if task_id != code.task_id:
            check_task_id(task_id)
            app.claim_task(task_id)
        return replace(draft, task_id=task_id).bubble(code.expires_at)


def _answer(app: WecomApp, **more: Json) -> Answer:
    return Answer(account=app.settings.name, body=ok(**more))


def _check_agent(form: Form, app: WecomApp) -> None:
    if not form.has("agentid"):
        raise Denial(40056)
    if form.integer("agentid") != app.settings.agent_id:
        raise Denial(301002)


def _receivers(form: Form, app: WecomApp) -> tuple[list[Member], list[str]]:
    touser = form.text("touser")
    if form.text("toparty") or form.text("totag"):
        # The emulated corp has no departments and no tags.
        raise Denial(40058, "toparty and totag", unfaithful=True)
    if not touser:
        raise Denial(82001)
    members, invalid = app.receivers(touser)
    if len(members) + len(invalid) > RECEIVERS_MAX:
        raise Denial(40058, f"touser has more than {RECEIVERS_MAX}")
    return members, invalid


def _updated(form: Form, app: WecomApp) -> tuple[list[Member], list[str]]:
    names = form.texts("userids")
    if form.integer("atall") == 1:
        return list(app.members.values()), []
    if form.has("partyids") or form.has("tagids"):
        raise Denial(40058, "partyids and tagids", unfaithful=True)
    if not names:
        raise Denial(82001)
    return app.receivers("|".join(names))


def _duplicate_interval(form: Form) -> timedelta | None:
    checked = form.integer("enable_duplicate_check")
    seconds = form.integer("duplicate_check_interval", DUPLICATE_INTERVAL_S)
    if checked not in (0, 1) or not 0 < seconds <= DUPLICATE_INTERVAL_MAX_S:
        raise form.wrong("enable_duplicate_check", "or its interval is out of range")
    return timedelta(seconds=seconds) if checked else None


def _deliver(app: WecomApp, member: Member, bubble: Bubble, now: datetime) -> bool:
    if not app.admits(member, now):
        return False
    member.chat.add(bubble)
    return True


def _button_update(form: Form) -> str:
    button = form.form("button")
    name = button.need("replace_name")
    button.finish()
    return name


def _changed(before: Bubble, new: Bubble | str) -> Bubble:
    """The card after an update: only its buttons turned grey, or all of it replaced where it stands."""
    if isinstance(new, str):
        return replace(before, buttons=(grey(new),))
    return replace(new, at=before.at)
