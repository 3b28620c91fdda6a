"""One WeCom application as its platform knows it: members, cards, response codes, limits."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.draws import opaque
from bot.sandbox.emulator.settings import WecomSettings
from bot.sandbox.emulator.tokens import AppTokens
from bot.sandbox.emulator.transcript import Chat, Feed

CODE_LIFETIME = timedelta(hours=72)
MINUTE_MAX = 30
HOUR_MAX = 1000
CODES_MAX = 10_000
"""Response codes remembered; the oldest go first and are then invalid."""
CARDS_MAX = 10_000
"""Task ids remembered as taken; the oldest go first."""
DUPLICATES_MAX = 10_000

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCode:
    """The right to update the card `task_id` once, before `expires_at`."""

    code: str
    task_id: str
    expires_at: datetime


@dataclass(slots=True, kw_only=True)
class Member:
    """One person who sees the application. `received`: when messages reached them, of the last hour."""

    staff_id: str
    name: str
    chat: Chat
    received: deque[datetime]


class WecomApp:
    """The state behind one `[channels.wecom.NAME]`."""

    def __init__(self, settings: WecomSettings, feed: Feed, *, chance: Random) -> None:
        self.settings = settings
        self._chance = chance
        self.callback_url = settings.callback_url
        self.tokens = AppTokens(chance)
        self.members = {
            staff_id: Member(staff_id=staff_id, name=name, chat=Chat(feed), received=deque(maxlen=HOUR_MAX))
            for staff_id, name in settings.members.items()
        }
        self._codes: OrderedDict[str, ResponseCode] = OrderedDict()
        self._task_ids: OrderedDict[str, None] = OrderedDict()
        self._sent: OrderedDict[str, datetime] = OrderedDict()

    def receivers(self, touser: str) -> tuple[list[Member], list[str]]:
        """The members named in `a|b` or `@all`, and the names that are nobody's."""
        if touser == "@all":
            return list(self.members.values()), []
        names = [name for name in touser.split("|") if name]
        known = [self.members[name] for name in dict.fromkeys(names) if name in self.members]
        return known, [name for name in names if name not in self.members]

    def admits(self, member: Member, now: datetime) -> bool:
        """Count a message to `member`; False: over 30 a minute or 1,000 an hour, so that it is silently dropped."""
        recent = [at for at in member.received if now - at < _HOUR]
        if len(recent) >= HOUR_MAX or sum(now - at < _MINUTE for at in recent) >= MINUTE_MAX:
            return False
        member.received.append(now)
        return True

    def claim_task(self, task_id: str) -> None:
        """Take `task_id` for a new card. Denial 42014: it is taken."""
        if task_id in self._task_ids:
            raise Denial(42014, "task_id repeats")
        self._task_ids[task_id] = None
        if len(self._task_ids) > CARDS_MAX:
            self._task_ids.popitem(last=False)

    def issue_code(self, task_id: str, now: datetime) -> str:
        """A new response code for the card `task_id`."""
        code = opaque(self._chance, 24)
        self._codes[code] = ResponseCode(code=code, task_id=task_id, expires_at=now + CODE_LIFETIME)
        if len(self._codes) > CODES_MAX:
            self._codes.popitem(last=False)
        return code

    def valid_code(self, code: str, now: datetime) -> ResponseCode:
        """The unspent code. Denial 60140: unknown, spent or older than 72 hours."""
        found = self._codes.get(code)
        if found is None or now >= found.expires_at:
            raise Denial(60140)
        return found

    def spend(self, code: ResponseCode) -> None:
        """Make `code` useless."""
        del self._codes[code.code]

    def code_ends(self, now: datetime) -> datetime | None:
        """The next moment at which an unspent code lapses, None when there is none."""
        return min((code.expires_at for code in self._codes.values() if code.expires_at > now), default=None)

    def repeats(self, content: str, *, now: datetime, interval: timedelta) -> bool:
        """Whether the same content was sent within `interval`; remembers it either way."""
        last = self._sent.get(content)
        if last is not None and now - last < interval:
            return True
        self._sent[content] = now
        if len(self._sent) > DUPLICATES_MAX:
            self._sent.popitem(last=False)
        return False
