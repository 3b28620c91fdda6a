"""One callback on its way, and how each of its deliveries looks, sound or spoiled."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from bot.sandbox.emulator.carrier import Letter, Outcome
from bot.sandbox.emulator.envelopes import Envelope, Packed
from bot.sandbox.emulator.fault_rules import CallbackFault, CallbackSite
from bot.sandbox.emulator.settings import Platform

OVERSIZE_BYTES = 300 * 1024
"""What an oversize delivery is padded with: more than any callback has."""
STALE_S = 3600.0
"""How old a stale delivery is unless its fault says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One callback. `kind`: its MsgType, or the name of its event. `settle` learns what became of it, once."""

    platform: Platform
    account: str
    sender: str
    kind: str
    url: str
    inner: str
    envelope: Envelope
    settle: Callable[[Outcome], None]

    def site(self) -> CallbackSite:
        """Where faults look for it."""
        return CallbackSite(platform=self.platform, account=self.account, kind=self.kind, sender=self.sender)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A fault that struck one callback. `hit`: the id of this blow."""

    fault: CallbackFault
    hit: str


class Writing:
    """Writes the letters of one parcel. The ciphertext stays the same, the signature may be made anew."""

    def __init__(self, parcel: Parcel, *, within_s: float) -> None:
        self._parcel = parcel
        self._within_s = within_s
        self._packed = parcel.envelope.pack(parcel.inner)
        self._query: dict[str, str] = {}

    def letter(self, at: int, *, signature: str = "fresh") -> Letter:
        """A sound letter, signed for the second `at`; with `same` as the last time, if there was one."""
        if signature == "fresh" or not self._query:
            self._query = self._signed(self._packed, at)
        return self._written(self._packed, self._query)

    def spoiled(self, at: int, fault: CallbackFault) -> Letter:
        """A letter with which something is wrong."""
        sound = self._written(self._packed, self._signed(self._packed, at))
        half = len(self._packed.body) // 2
        match fault.what:
            case "wrong_signature":
                return replace(sound, query={key: _forged(key, value) for key, value in sound.query.items()})
            case "stale_timestamp":
                return replace(sound, query=self._signed(self._packed, at - int(fault.seconds or STALE_S)))
            case "malformed":
                inner = self._parcel.inner
                packed = self._parcel.envelope.pack(inner[: len(inner) // 2])
                return self._written(packed, self._signed(packed, at))
            case "garbled":
                return replace(sound, body=self._packed.body[:half])
            case "oversize":
                return replace(sound, body=self._packed.body + b" " * OVERSIZE_BYTES)
            case "cut":
                return replace(sound, cut_at=half)
            case "duplicate" | "overlap" | "delayed" | "reorder" | "lost":
                return sound
            case _:
                assert_never(fault.what)

    def _signed(self, packed: Packed, at: int) -> dict[str, str]:
        return self._parcel.envelope.sign(packed, sender=self._parcel.sender, at=at)

    def _written(self, packed: Packed, query: dict[str, str]) -> Letter:
        return Letter(
            method="POST",
            url=self._parcel.url,
            query=query,
            body=packed.body,
            headers={"Content-Type": "text/xml"},
            within_s=self._within_s,
        )


def _forged(key: str, value: str) -> str:
    return value[::-1] if key in ("signature", "msg_signature") else value
