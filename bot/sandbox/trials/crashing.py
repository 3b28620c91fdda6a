"""Playing a test again and again, its process dying at every point it reaches; then looking what the customer got.

Judged by the promises of journey-language.md 3.5: nothing is lost and nothing comes twice, but for a message that was
under way at the death. Of such a one that the platform had taken, a class that says at_least_once may send one more;
of one that it had not, nobody can say whether it will come.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.authoring.trials import CrashPoint, Expect, Trial, TrialFile
from bot.sandbox.trials.fuse import Fuse
from bot.sandbox.trials.judge import judge
from bot.sandbox.trials.play import Failure, Play, Theatre, begin

DEATHS_MAX = 500
"""Deaths tried at one point; what a longer test reaches beyond is not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calm:
    """How the test goes without a death: states, end, and how often each content comes."""

    path: tuple[str, ...]
    end: str
    came: Counter[str]


def replay(theatre: Theatre, file: TrialFile, trial: Trial) -> Iterator[tuple[CrashPoint, Play]]:
    """Each point of `trial` with the plays in which the process died there, once for each time that it is reached.

    What the repeated test expects on its way is judged once, without a death. BotError: it cannot be played.
    """
    again = file.named(trial.repeat)
    assert again is not None, "the reader lets no test repeat what there is not"
    whole = begin(theatre, file, again, Fuse())
    whole.perform(again, judge)
    if whole.failures:
        yield trial.crash[0], whole
        return
    calm = _Calm(path=tuple(whole.story.path), end=whole.story.end, came=_came(whole))
    silent = replace(again, steps=tuple(step for step in again.steps if not isinstance(step, Expect)))
    counted = dict(whole.house.fuse.counted)
    for point in trial.crash:
        for number in range(1, min(counted.get(point, 0), DEATHS_MAX) + 1):
            play = begin(theatre, file, again, Fuse(point=point, number=number))
            play.perform(silent, judge)
            if not play.failures:
                play.failures += [*_differences(play, trial, calm), *_expected(play, trial)]
            yield point, play


def _came(play: Play) -> Counter[str]:
    return Counter(one.effect.content for one in play.outside.taken())


def _differences(play: Play, trial: Trial, calm: _Calm) -> Iterator[Failure]:
    """Where the customer fared otherwise than without the death, beyond what her messages' classes allow."""
    fuse = play.house.fuse
    where = f"第 {fuse.number} 次走到 {fuse.point} 时崩溃"
    if not fuse.went_off:
        yield Failure(span=trial.span, text=f"{where}：重演没有走到这里")
        return
    if tuple(play.story.path) != calm.path or play.story.end != calm.end:
        ways = f"走成了 {' → '.join(play.story.path)}（{play.story.end or '未结束'}）"
        yield Failure(span=trial.span, text=f"{where}：{ways}，没有崩溃时是 {' → '.join(calm.path)}（{calm.end}）")
    came = _came(play)
    for content in sorted(calm.came.keys() | came.keys()):
        if not _is_allowed(fuse, content, came[content], calm=calm.came[content]):
            yield Failure(
                span=trial.span, text=f"{where}：{content} 收到 {came[content]} 次，没有崩溃时 {calm.came[content]} 次"
            )


def _is_allowed(fuse: Fuse, content: str, times: int, *, calm: int) -> bool:
    """Whether the content may come so often after this death."""
    least = most = calm
    for place, effect in enumerate(fuse.struck):
        if effect.content != content:
            continue
        if place >= fuse.was_taken:
            least -= 1
        elif effect.delivery == "at_least_once":
            most += 1
    return least <= times <= most


def _expected(play: Play, trial: Trial) -> Iterator[Failure]:
    """What the test expects in the end. `sent_once` forgives what the class of a message under way allows."""
    if trial.expect is None:
        return
    others = {key: span for key, span in trial.expect.places.items() if key != "sent_once"}
    yield from judge(play, replace(trial.expect, places=others))
    came = _came(play)
    for words in trial.expect.sent_once:
        times = came[words.content]
        if not _is_allowed(play.house.fuse, words.content, times, calm=1):
            span = trial.expect.places["sent_once"]
            yield Failure(span=span, text=f"期望 {words.content} 正好发一次，实际 {times} 次")
