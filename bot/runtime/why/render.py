"""A story as text for people, as JSON for programs, and as lines for whoever shows a part of it."""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from bot.core.events import Json
from bot.runtime.why.line import Line, as_object
from bot.runtime.why.story import Episode, Story

_Group: TypeAlias = tuple[Line, list[Line]]
"""A line, and the sends that hang below it."""

COLUMNS = 100
"""Width of the text; a CJK character takes two columns."""
_SEND = "send"
# What may not be torn apart: words of Latin letters and figures, and a mark with the character before it.
_PIECES = re.compile(r"(?:[\x21-\x7e]+|[^\x00-\x20]|[ ])[，。；：、）”？！]*")


def as_text(story: Story) -> str:
    """The story as a tree of plain text, at most `COLUMNS` wide, ending in a line break."""
    parts = [_title(story)]
    if story.cut:
        parts.append(f"只显示最近 {_dealt_with(story)} 件事，更早的没有显示")
    if not story.episodes:
        parts.append("还没有任何记录")
    parts += [_episode(episode, story) for episode in story.episodes]
    if story.present:
        stamp = f"现在（{story.at.astimezone(story.zone):%Y-%m-%d %H:%M}）"
        parts.append("\n".join([stamp, *_tree([(line, []) for line in story.present])]))
    return "\n\n".join(parts) + "\n"


def as_json(story: Story) -> str:
    """The story as one JSON object: customer, identities, at, cut, and `lines` in the order of the text."""
    whole: dict[str, Json] = {
        "customer": story.customer_id,
        "identities": [list(identity) for identity in story.identities],
        "at": story.at.astimezone(story.zone).isoformat(),
        "cut": story.cut,
        "lines": [as_object(line, story.zone) for line in lines(story)],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2)


def lines(story: Story) -> tuple[Line, ...]:
    """Every line of the story in order: each episode's headline before what was decided on it, the present last."""
    told = chain.from_iterable((episode.happened, *episode.told) for episode in story.episodes)
    return (*told, *story.present)


def last_decision(story: Story) -> tuple[Line, ...]:
    """The latest thing that was dealt with: its headline, then what was decided. Empty: nothing was yet."""
    last = next((episode for episode in reversed(story.episodes) if episode.told), None)
    return (last.happened, *last.told) if last else ()


def _dealt_with(story: Story) -> int:
    return sum(1 for episode in story.episodes if episode.told)


def _title(story: Story) -> str:
    names = "，".join(":".join(identity) for identity in story.identities)
    return f"客户 {story.customer_id}" + (f"（{names}）" if names else "")


def _episode(episode: Episode, story: Story) -> str:
    at = episode.happened.at
    stamp = f"{at.astimezone(story.zone):%Y-%m-%d %H:%M:%S}  " if at else ""
    return "\n".join([*_wrapped(stamp + episode.happened.text, "", " " * len(stamp)), *_tree(_grouped(episode.told))])


def _tree(groups: Sequence[_Group]) -> Iterator[str]:
    """Branches, one a group. The journey is named where it changes."""
    journey = ""
    for number, (line, sends) in enumerate(groups):
        is_last = number == len(groups) - 1
        told = line.text
        if line.journey and line.journey != journey and line.journey not in told:
            told = f"〔{line.journey}〕{told}"
        journey = line.journey or journey
        yield from _wrapped(told, _branch(is_last=is_last), _below(is_last=is_last))
        for place, send in enumerate(sends):
            trunk, ends = _below(is_last=is_last), place == len(sends) - 1
            yield from _wrapped(send.text, trunk + _branch(is_last=ends), trunk + _below(is_last=ends))


def _grouped(told: Sequence[Line]) -> list[_Group]:
    """Every decision with the messages it planned."""
    groups: list[_Group] = []
    for line in told:
        if line.kind == _SEND and groups:
            groups[-1][1].append(line)
        else:
            groups.append((line, []))
    return groups


def _branch(*, is_last: bool) -> str:
    return "└─ " if is_last else "├─ "


def _below(*, is_last: bool) -> str:
    return "   " if is_last else "│  "


def _wrapped(text: str, first: str, further: str) -> list[str]:
    """`text` cut into lines that fit behind their prefixes."""
    rows, row, room = [], "", COLUMNS - _width(first)
    for piece in _PIECES.findall(text):
        for part in _fitting(piece):
            if row and _width(row) + _width(part) > room:
                rows.append(row.rstrip())
                row, room = "", COLUMNS - _width(further)
            row += part
    rows.append(row)
    return [f"{first if number == 0 else further}{row}" for number, row in enumerate(rows)]


def _fitting(piece: str) -> Iterator[str]:
    """`piece`, in several when it is too long for any line."""
    longest = COLUMNS // 2
    for start in range(0, len(piece), longest):
        yield piece[start : start + longest]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
