"""What buyers do in front of an official account."""

from collections.abc import Callable, Mapping

from bot.runtime.ports import Clock
from bot.sandbox.emulator.deeds import Deed, Impossible
from bot.sandbox.emulator.oa_account import FOLLOWERS_MAX, Crowded, Follower, OfficialAccount
from bot.sandbox.emulator.oa_push import OaPush
from bot.sandbox.emulator.quota import Trigger
from bot.sandbox.emulator.transcript import Bubble, Kind
from bot.sandbox.emulator.wire import Json, XmlField

_MEDIA_TEXT = {"image": "[图片]", "voice": "[语音]", "video": "[视频]", "location": "[位置]", "link": "[链接]"}


class Buyers:
    """Plays the deeds of buyers: changes the platform's state, then pushes what the platform would push."""

    def __init__(self, *, accounts: Mapping[str, OfficialAccount], push: OaPush, clock: Clock) -> None:
        self._accounts = accounts
        self._push = push
        self._clock = clock
        self._deeds: dict[str, Callable[[OfficialAccount, Follower, Deed], dict[str, Json]]] = {
            "say": self._say,
            "tap": self._tap,
            "menu": self._menu,
            "follow": self._follow,
            "unfollow": self._unfollow,
            "scan": self._scan,
            "block": self._block,
            "unblock": self._unblock,
            **dict.fromkeys(_MEDIA_TEXT, self._send_media),
        }

    def plays(self, do: str) -> bool:
        """Whether `do` is a buyer's deed."""
        return do in self._deeds

    def act(self, deed: Deed) -> dict[str, Json]:
        """Play one deed. Impossible: it cannot be done now."""
        account = self._account(deed.text("account"))
        try:
            person = account.person(deed.need("openid"))
        except Crowded as error:
            raise Impossible(f"公众号 `{account.settings.name}` 最多容纳 {FOLLOWERS_MAX} 人") from error
        return self._deeds[deed.do](account, person, deed)

    def _account(self, name: str) -> OfficialAccount:
        if not name and len(self._accounts) == 1:
            return next(iter(self._accounts.values()))
        found = self._accounts.get(name)
        if found is None:
            raise Impossible(f"没有公众号 `{name}`" if name else "有几个公众号，请写明 `account`")
        return found

    def _say(self, account: OfficialAccount, person: Follower, deed: Deed) -> dict[str, Json]:
        text = deed.need("text")
        self._trigger(person, "message")
        self._mine(person, text)
        return {"msg_id": self._push.message(account, person, {"MsgType": "text", "Content": text})}

    def _tap(self, account: OfficialAccount, person: Follower, deed: Deed) -> dict[str, Json]:
        menu_id = deed.need("menu_id")
        line = person.chat.choice(menu_id)
        if line is None:
            raise Impossible(f"聊天里没有编号为 `{menu_id}` 的选项")
        text = deed.text("content") or deed.text("text") or line
        self._trigger(person, "menu")
        self._mine(person, text)
        fields: dict[str, XmlField] = {"MsgType": "text", "Content": text, "bizmsgmenuid": menu_id}
        return {"msg_id": self._push.message(account, person, fields)}

    def _send_media(self, account: OfficialAccount, person: Follower, deed: Deed) -> dict[str, Json]:
        fields = _media_fields(deed)
        self._trigger(person, "message")
        kind: Kind = "image" if deed.do == "image" else "text"
        person.chat.add(Bubble(side="me", kind=kind, text=_MEDIA_TEXT[deed.do], at=self._clock.now()))
        return {"msg_id": self._push.message(account, person, {"MsgType": deed.do, **fields})}

    def _menu(self, account: OfficialAccount, person: Follower, deed: Deed) -> dict[str, Json]:
        key = deed.need("key")
        self._trigger(person, "menu")
        self._line(person, f"点击菜单「{deed.text('text', key)}」")
        return {"create_time": self._push.event(account, person, "CLICK", {"EventKey": key})}

    def _follow(self, account: OfficialAccount, person: Follower, deed: Deed) -> dict[str, Json]:
        if person.following:
            raise Impossible("已经关注了，不能再关注一次")
        scene = deed.text("scene")
        person.following, person.scene, person.followed_at = True, scene, self._clock.now()
        self._trigger(person, "follow")
        self._line(person, f"扫码关注了公众号（{scene}）" if scene else "关注了公众号")
        fields: dict[str, XmlField] = {"EventKey": ""}
        if scene:
            fields = {"EventKey": f"qrscene_{scene}", "Ticket": _ticket(scene)}
        return {"create_time": self._push.event(account, person, "subscribe", fields)}

    def _unfollow(self, account: OfficialAccount, person: Follower, _deed: Deed) -> dict[str, Json]:
        self._must_follow(person)
        person.following = False
        person.ledger.clear()
        self._line(person, "取消了关注")
        return {"create_time": self._push.event(account, person, "unsubscribe", {"EventKey": ""})}

    def _scan(self, account: OfficialAccount, person: Follower, deed: Deed) -> dict[str, Json]:
        scene = deed.need("scene")
        if not person.following:
            return self._follow(account, person, deed)
        self._trigger(person, "scan")
        self._line(person, f"扫描了二维码（{scene}）")
        fields: dict[str, XmlField] = {"EventKey": scene, "Ticket": _ticket(scene)}
        return {"create_time": self._push.event(account, person, "SCAN", fields)}

    def _block(self, _account: OfficialAccount, person: Follower, _deed: Deed) -> dict[str, Json]:
        self._must_follow(person)
        person.blocking = True
        self._line(person, "拒收了公众号的消息")
        return {}

    def _unblock(self, _account: OfficialAccount, person: Follower, _deed: Deed) -> dict[str, Json]:
        self._must_follow(person)
        person.blocking = False
        self._line(person, "恢复接收公众号的消息")
        return {}

    def _trigger(self, person: Follower, trigger: Trigger) -> None:
        self._must_follow(person)
        person.ledger.refill(trigger, self._clock.now())

    def _must_follow(self, person: Follower) -> None:
        if not person.following:
            raise Impossible("还没有关注这个公众号，请先关注（终端里输入 /follow）")

    def _mine(self, person: Follower, text: str) -> None:
        person.chat.add(Bubble(side="me", text=text, at=self._clock.now()))

    def _line(self, person: Follower, text: str) -> None:
        person.chat.add(Bubble(side="system", text=text, at=self._clock.now()))


def _media_fields(deed: Deed) -> dict[str, XmlField]:
    media_id = deed.text("media_id", f"MEDIA_{deed.do}")
    match deed.do:
        case "image":
            return {"PicUrl": deed.text("pic_url", "http://mmbiz.example/0"), "MediaId": media_id}
        case "voice":
            return {"MediaId": media_id, "Format": "amr"}
        case "video":
            return {"MediaId": media_id, "ThumbMediaId": f"{media_id}_thumb"}
        case "location":
            return {
                "Location_X": _degrees(deed, "latitude", "31.230416"),
                "Location_Y": _degrees(deed, "longitude", "121.473701"),
                "Scale": 16,
                "Label": deed.text("label", "上海市"),
            }
        case "link":
            url = deed.text("url", "https://example.com/a")
            return {"Title": deed.text("title", "链接"), "Description": deed.text("description"), "Url": url}
        case other:
            raise Impossible(f"不会发送 `{other}`")


def _degrees(deed: Deed, key: str, default: str) -> float:
    try:
        return float(deed.text(key, default))
    except ValueError as error:
        raise Impossible(f"`{key}` 必须是度数") from error


def _ticket(scene: str) -> str:
    return f"TICKET_{scene}"
