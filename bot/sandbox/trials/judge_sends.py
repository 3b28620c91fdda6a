"""What is expected of messages: which came, in what order, what they say, how often."""

from collections.abc import Iterator, Sequence

from bot.authoring.trials import Expect, Words
from bot.sandbox.trials.outside import Delivery
from bot.sandbox.trials.play import Play
from bot.sandbox.trials.wording import listed

LINES_MAX = 4


def sent(play: Play, expect: Expect) -> Iterator[str]:
    """These came since the last `expect`, in this order."""
    if _behind(play, _lately(play), expect.sent, 0) is None:
        yield f"期望发送 {listed(map(str, expect.sent))}，实际发送 {_told(play, _lately(play))}"


def then_sent(play: Play, expect: Expect) -> Iterator[str]:
    """These came behind those of `sent`."""
    came = _lately(play)
    place = _behind(play, came, expect.sent, 0)
    if place is not None and _behind(play, came, expect.then_sent, place) is None:
        before = f"{listed(map(str, expect.sent))} 之后" if expect.sent else ""
        yield f"期望{before}发送 {listed(map(str, expect.then_sent))}，实际发送 {_told(play, came)}"


def contains(play: Play, expect: Expect) -> Iterator[str]:
    """Each of these texts stands in a message that came since the last `expect`."""
    texts = [one.text for one in _lately(play)]
    for words in expect.sent_contains:
        if not any(words in text for text in texts):
            yield f"期望收到的话里有 “{words}”，实际是 {listed(f'“{text}”' for text in texts)}"


def count(play: Play, expect: Expect) -> Iterator[str]:
    """So many came since the last `expect`."""
    came = _lately(play)
    if len(came) != expect.sent_count:
        yield f"期望发送 {expect.sent_count} 条，实际 {len(came)} 条：{_told(play, came)}"


def never(play: Play, expect: Expect) -> Iterator[str]:
    """None of these came in the whole test."""
    for words in expect.never_sent:
        if any(_is(play, one, words) for one in play.outside.taken()):
            yield f"期望从未发送 {words}，实际发了"


def once(play: Play, expect: Expect) -> Iterator[str]:
    """Each of these came exactly once in the whole test."""
    for words in expect.sent_once:
        times = sum(1 for one in play.outside.taken() if _is(play, one, words))
        if times != 1:
            yield f"期望 {words} 正好发一次，实际 {times} 次"


def not_sent_lines(play: Play) -> list[str]:
    """What was held back since the last `expect`, with the reason."""
    kinds = ("not_sent", "deferred")
    lines = [one.trace.detail for one in play.story.lately() if one.trace.kind in kinds]
    told = [f"没有发送 {detail.get('content')}：{detail.get('reason')}" for detail in lines]
    refused = [one for one in play.outside.deliveries[play.sent_mark :] if one.refused and one.to_buyer]
    told += [f"平台没有接受 {one.effect.content}：{one.refused}" for one in refused]
    return told[-LINES_MAX:]


def _lately(play: Play) -> list[Delivery]:
    return list(play.outside.taken(since=play.sent_mark))


def _behind(play: Play, came: Sequence[Delivery], wanted: Sequence[Words], place: int) -> int | None:
    """The place behind the last of `wanted`, looked for in order from `place` on; None: one of them did not come."""
    for words in wanted:
        found = next((n for n in range(place, len(came)) if _is(play, came[n], words)), None)
        if found is None:
            return None
        place = found + 1
    return place


def _is(play: Play, one: Delivery, words: Words) -> bool:
    if one.effect.content != words.content:
        return False
    return not words.variant or variant_of(play, one) == words.variant


def variant_of(play: Play, one: Delivery) -> str:
    """The variant that was sent: one that the content lacks was replaced by the normal one."""
    wanted = play.story.variants.get(one.effect.effect_id, "") or "normal"
    content = play.program.library.contents.get(one.effect.content)
    return wanted if content is not None and wanted in content.variants else "normal"


def _told(play: Play, came: Sequence[Delivery]) -> str:
    return listed(str(Words(content=one.effect.content, variant=_worth_telling(play, one))) for one in came)


def _worth_telling(play: Play, one: Delivery) -> str:
    variant = variant_of(play, one)
    return "" if variant == "normal" else variant
