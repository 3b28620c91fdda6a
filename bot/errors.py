"""The error tree: one class per decision that somebody, or some loop, has to take.

A message says what happened, where, and then how to mend it. Secrets, message bodies and whole phone
numbers never stand in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

SpoiltKind = Literal["key", "damaged", "form"]
"""Why a row does not open: no key of its version, damaged or another key of that version, not a form we know."""
UnreachableReason = Literal["window", "count", "gone", "refused_by_user", "human_has_floor", "no_grant"]


class BotError(Exception):
    """Something went wrong in a way the program foresaw."""

    code: ClassVar[str] = "error"

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        cure = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{self.what}{cure}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing wrong with a configuration, in a report of all of them."""

    where: str
    what: str
    hint: str = ""


class AuthoringError(BotError):
    """Files of a marketer do not load; the diagnostics say where. Exit 1, the old library stays live."""

    code = "authoring"


class ConfigError(BotError):
    """config.toml or the environment is wrong. All complaints at once, exit 2."""

    code = "config"

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(complaints)
        lines = [f"{c.where}: {c.what}" + (f"\n  {c.hint}" if c.hint else "") for c in self.complaints]
        super().__init__("\n".join(lines))


class InboundError(BotError):
    """A callback that does not become an event."""

    code = "inbound"


class Untrusted(InboundError):
    """Wrong signature, wrong age or wrong receiver: 403, counted, nothing stored."""

    code = "untrusted"


class Unreadable(InboundError):
    """Rightly signed, yet not readable: a quarantine row is committed, 200, alert."""

    code = "unreadable"

    def __init__(self, what: str, *, body: bytes, where: str = "") -> None:
        super().__init__(what, where=where)
        self.body = body


class Unsupported(InboundError):
    """Readable, but of a kind we have no use for: 200, counted by `kind`."""

    code = "unsupported"

    def __init__(self, kind: str) -> None:
        super().__init__(f"unsupported callback `{kind}`")
        self.kind = kind


class ChannelError(BotError):
    """A platform did not take a message, or may not have. `vendor_code` is the platform's, if it gave one.

    `used_up`: it refuses an id or a code that is good for one time only. On a repeat of ours, the first one arrived.
    """

    code = "channel"
    used_up: bool = False

    def __init__(self, what: str, *, vendor_code: int | None = None, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.vendor_code = vendor_code


class TryLater(ChannelError):
    """Surely not taken; worth another try after `after_s` seconds."""

    code = "try_later"

    def __init__(self, what: str, *, after_s: float, vendor_code: int | None = None) -> None:
        super().__init__(what, vendor_code=vendor_code)
        self.after_s = after_s


class Unauthorised(ChannelError):
    """The access token was not accepted: refresh once, then park the account."""

    code = "unauthorised"


class Unreachable(ChannelError):
    """This customer cannot be reached this way now, for `reason`."""

    code = "unreachable"

    def __init__(self, what: str, *, reason: UnreachableReason, vendor_code: int | None = None) -> None:
        super().__init__(what, vendor_code=vendor_code)
        self.reason = reason


class AlreadyDone(ChannelError):
    """The platform says that it took this very message before: as good as sent."""

    code = "already_done"


class Forbidden(ChannelError):
    """An operator must act (rights, IP list, ban): the account's circuit opens, alert."""

    code = "forbidden"


class Refused(ChannelError):
    """The platform finds the message itself wrong: our bug, alert, never repeated."""

    code = "refused"


class Unknown(ChannelError):
    """The request left and no verdict came back: it may have happened."""

    code = "unknown"


class StorageError(BotError):
    """The database did not do what was asked."""

    code = "storage"


class Unavailable(StorageError):
    """The database itself cannot work now (disk full, connection lost, schema missing): no customer's fault, wait."""

    code = "unavailable"


class Spoilt(StorageError):
    """One row does not open (damaged, its key lost, its form unknown): it is set aside, and its lane stands still.

    `key_version`: which key it asks for, 0 where that is not the question.
    """

    code = "spoilt"

    def __init__(self, what: str, *, kind: SpoiltKind, key_version: int = 0, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.kind: SpoiltKind = kind
        self.key_version = key_version


class Conflict(StorageError):
    """Somebody else changed the row: run the step again, at most three times."""

    code = "conflict"


class OutOfDate(StorageError):
    """The database has a newer schema than this program: refuse to start."""

    code = "out_of_date"
