"""Links in what is said: WeChat warns of pages that are not https, or does not open them. Rule J309."""

import re

from bot.authoring.drafts import Drafts
from bot.authoring.page import within

_PLAIN = re.compile(r"http://[^\s\"'<>，。；）]+", re.IGNORECASE)
_SHOWN_MAX = 60


def check(drafts: Drafts) -> None:
    """Report every link that is written out and is not https; one that a value brings cannot be known."""
    for draft in drafts.contents.values():
        source, seen = draft.page.source, set[str]()
        for number in range(draft.body.line, draft.body.end_line + 1):
            for link in _PLAIN.findall(source.line(number)):
                if link not in seen:
                    seen.add(link)
                    span = within(source, draft.body, link)
                    message = f"链接 {link[:_SHOWN_MAX]} 不是 https：微信会提醒有风险，或打不开"
                    draft.page.say("J309", span, message, help=f"写成 https{link[4:_SHOWN_MAX]}")
