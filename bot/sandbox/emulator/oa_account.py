"""One official account as its platform knows it: followers, tokens, template jobs."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.quota import Ledger
from bot.sandbox.emulator.settings import Conduct, OaSettings, Template
from bot.sandbox.emulator.tokens import OaTokens
from bot.sandbox.emulator.transcript import Chat, Feed

FOLLOWERS_MAX = 100_000
"""People one account may have known; the next one is turned away."""
TEMPLATE_KEYS_MAX = 10_000
"""client_msg_ids remembered; the oldest go first."""
MOMENTS_MAX = 1000
"""Deeds of a person whose last second is remembered; the oldest go first, and may then share a second."""

_DAY = timedelta(days=1)


class Crowded(Exception):
    """The account has known as many people as it can hold."""


@dataclass(slots=True, kw_only=True)
class Follower:
    """One person in front of the account, whether following or not."""

    openid: str
    ledger: Ledger
    chat: Chat
    following: bool = False
    blocking: bool = False
    followed_at: datetime | None = None
    scene: str = ""
    moments: dict[str, int] = field(default_factory=dict)


class OfficialAccount:
    """The state behind one `[channels.oa.NAME]`."""

    def __init__(self, settings: OaSettings, conduct: Conduct, *, feed: Feed, chance: Random) -> None:
        self.settings = settings
        self.conduct = conduct
        self.callback_url = settings.callback_url
        self.tokens = OaTokens(chance)
        self._feed = feed
        self._followers: dict[str, Follower] = {}
        self._day: datetime | None = None
        self._templates = 0
        self._jobs: OrderedDict[tuple[str, str], tuple[int, datetime]] = OrderedDict()

    def person(self, openid: str) -> Follower:
        """The person with this openid, met now if never before. Crowded: there is no room for one more."""
        found = self._followers.get(openid)
        if found is None:
            if len(self._followers) >= FOLLOWERS_MAX:
                raise Crowded
            found = Follower(openid=openid, ledger=Ledger(self.conduct.merge), chat=Chat(self._feed))
            self._followers[openid] = found
        return found

    def known(self, openid: str) -> Follower | None:
        """The person with this openid, None when the account never met one."""
        return self._followers.get(openid)

    def people(self) -> list[Follower]:
        """Everybody the account ever met, in the order of meeting."""
        return list(self._followers.values())

    def receiver(self, openid: str) -> Follower:
        """The follower a message goes to. Denial 40003: unknown; 43004: not following."""
        person = self._followers.get(openid)
        if person is None:
            raise Denial(40003)
        if not person.following:
            raise Denial(43004)
        return person

    def template(self, template_id: str) -> Template:
        """The registered template. Denial 40037: there is none."""
        for template in self.settings.templates:
            if template.template_id == template_id:
                return template
        raise Denial(40037)

    def admits_template(self, now: datetime) -> bool:
        """Count a template message; False: beyond the day's number, so that it is silently dropped."""
        if self._day is None or now - self._day >= _DAY:
            self._day, self._templates = now, 0
        self._templates += 1
        return self._templates <= self.conduct.templates_a_day_max

    def earlier_job(self, openid: str, client_msg_id: str, now: datetime) -> int | None:
        """The msgid of the template job that this client_msg_id already started, None when it may start one."""
        found = self._jobs.get((openid, client_msg_id))
        if not client_msg_id or found is None or now - found[1] >= self.conduct.template_dedupe:
            return None
        return found[0]

    def remember_job(self, openid: str, client_msg_id: str, job: tuple[int, datetime]) -> None:
        """Keep (msgid, time) of a template job under its client_msg_id."""
        if not client_msg_id:
            return
        self._jobs[openid, client_msg_id] = job
        while len(self._jobs) > TEMPLATE_KEYS_MAX:
            self._jobs.popitem(last=False)


def create_time(person: Follower, deed: str, now: datetime) -> int:
    """The CreateTime of `deed`, in whole seconds.

    Events carry no id: the same deed of the same person in the same second would be a duplicate to every
    receiver (wechat-api.md 1.3), and nobody does a thing twice in a second. On a clock that stands still the second
    one is therefore dated one second later.
    """
    at = int(now.timestamp())
    last = person.moments.get(deed)
    if last is not None and at <= last:
        at = last + 1
    person.moments.pop(deed, None)
    person.moments[deed] = at
    if len(person.moments) > MOMENTS_MAX:
        del person.moments[next(iter(person.moments))]
    return at
