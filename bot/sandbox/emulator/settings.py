"""What the emulated platforms know of our accounts, and how they are told to behave."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

Platform: TypeAlias = Literal["oa", "wecom"]
Mode: TypeAlias = Literal["plain", "compatible", "safe"]

_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template message the account may send. `fields`: the keys it has; empty: they are not checked."""

    template_id: str
    title: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OaSettings:
    """One official account. `media_ids` None: every media id counts as uploaded. `bound`: followers have a unionid."""

    name: str
    app_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    gh_id: str
    mode: Mode = "safe"
    callback_url: str = ""
    templates: tuple[Template, ...] = ()
    media_ids: frozenset[str] | None = None
    bound: bool = False

    def __post_init__(self) -> None:
        if self.mode != "plain":
            _check_key(self.name, self.aes_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class WecomSettings:
    """One self-built application of a corp. `members`: staff id → display name, the people who can see it."""

    name: str
    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    members: Mapping[str, str]
    callback_url: str = ""

    def __post_init__(self) -> None:
        _check_key(self.name, self.aes_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How the platforms behave where their documents leave it open, or where a test needs it quicker.

    `merge`: `strict` one bucket per trigger; `max` one bucket for all, refilled to the larger (wechat-api.md 3.3).
    `retry_signature`: whether a redelivery is signed anew (1.3). `reply_within_s`, `retry_every_s`: real seconds.
    Template messages beyond `templates_a_day_max` in 24 hours are accepted and reach nobody (7.1, delivery.md 3.9).
    """

    merge: Literal["strict", "max"] = "strict"
    retry_signature: Literal["fresh", "same"] = "fresh"
    deliveries_max: int = 3
    reply_within_s: float = 5.0
    retry_every_s: float = 5.0
    template_dedupe: timedelta = timedelta(minutes=10)
    templates_a_day_max: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Everything an emulator is started with. ValueError: two accounts of one platform share a name."""

    oa: tuple[OaSettings, ...] = ()
    wecom: tuple[WecomSettings, ...] = ()
    conduct: Conduct = field(default_factory=Conduct)

    def __post_init__(self) -> None:
        for names in ([a.name for a in self.oa], [a.name for a in self.wecom]):
            if len(set(names)) < len(names):
                raise ValueError(f"account names repeat: {names}")


def _check_key(name: str, aes_key: str) -> None:
    if not _AES_KEY.fullmatch(aes_key):
        raise ValueError(f"account `{name}`: aes_key must be 43 letters or digits")
