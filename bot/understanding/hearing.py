"""One text, and what has been worked out about it so far: every part once, when a reader first needs it."""

import re
from datetime import date, datetime, tzinfo

from bot.understanding.folding import Folded, fold
from bot.understanding.index import Index
from bot.understanding.moments import Moments, moments
from bot.understanding.normal import normal_of
from bot.understanding.polite import forms
from bot.understanding.whole import Spoken, begins_with_correction, spoken

HEAD_MAX = 500
"""Characters in which days, amounts, papers and places are looked for; a longer text tells a story beside them."""
_NO_MOMENTS = re.compile(r"[^今明后周星礼月号日天点时分刻午正:/.ap-]*")


class Hearing:
    """`now`: when it was said. `zone`: the customer's. `change`: it begins by taking something back."""

    __slots__ = (
        "_compact",
        "_told",
        "change",
        "folded",
        "forms",
        "head",
        "index",
        "normal",
        "now",
        "said",
        "text",
        "zone",
    )

    def __init__(self, text: str, *, now: datetime, zone: tzinfo, index: Index) -> None:
        self.text = text
        self.now, self.zone, self.index = now, zone, index
        self.folded: Folded = fold(text)
        self.head: Folded = self.folded.head(HEAD_MAX)
        self.normal: str = normal_of(self.folded)
        self.forms: tuple[str, ...] = tuple(forms(self.normal))
        self.said: Spoken = spoken(self.folded, self.normal)
        self.change: bool = begins_with_correction(self.normal)
        self._compact: Folded | None = None
        self._told: dict[bool, Moments] = {}

    @property
    def compact(self) -> Folded:
        """The text without spaces."""
        if self._compact is None:
            self._compact = self.folded.compact()
        return self._compact

    @property
    def today(self) -> date:
        """The customer's day when she wrote it."""
        return self.now.astimezone(self.zone).date()

    def told(self, *, is_answer: bool) -> Moments:
        """The days and times that it names. `is_answer`: it answers a question for one."""
        told = self._told.get(is_answer)
        if told is None:
            chars = "" if _NO_MOMENTS.fullmatch(self.head.chars) else self.head.chars
            told = self._told[is_answer] = moments(chars, self.now, self.zone, is_answer=is_answer)
        return told
