"""Whether what is expected is so. Source: journey-language.md 5.1."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.authoring.source import Span
from bot.authoring.trials import Expect, Wanted
from bot.core import windows
from bot.core.customer import Enrolment
from bot.core.events import Json
from bot.sandbox.trials import judge_sends
from bot.sandbox.trials.play import Failure, Play
from bot.sandbox.trials.wording import elapsed, guard_lines, listed, shown

Check = Callable[[Play, Expect], Iterator[str]]
_GUARDED = frozenset({"state", "path", "ended", "reason"})
"""Where a failure is explained by the guards that were evaluated last."""
_WHERE = frozenset({"state", "path", "ended"})
"""Where the journey stands: if elsewhere, nothing else can be as expected."""
_WHAT = frozenset({"sent", "then_sent"})
_SENT = frozenset({"sent", "then_sent", "sent_contains", "sent_count", "never_sent", "sent_once"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Miss:
    """What is not as expected of `key`."""

    key: str
    span: Span
    text: str


def judge(play: Play, expect: Expect) -> list[Failure]:
    """Everything that is not as `expect` says, in the order of the file. Empty: all is well.

    What follows from one thing is told with it: all else, where the journey stands elsewhere; what was sent, where
    another content was.
    """
    missed = [
        _Miss(key=key, span=expect.places[key], text=text)
        for key, check in _CHECKS.items()
        if key in expect.places
        for text in check(play, expect)
    ]
    missed.sort(key=lambda one: (one.span.line, one.span.column))
    cause = _cause(missed)
    follows = _follows(cause, missed)
    return [_failure(play, one, follows if one is cause else []) for one in missed if one not in follows]


def _cause(missed: Sequence[_Miss]) -> _Miss | None:
    """The first that others follow from, None: each stands for itself."""
    for keys in (_WHERE, _WHAT):
        found = next((one for one in missed if one.key in keys), None)
        if found is not None:
            return found
    return None


def _follows(cause: _Miss | None, missed: Sequence[_Miss]) -> list[_Miss]:
    if cause is None:
        return []
    return [one for one in missed if one is not cause and (cause.key in _WHERE or one.key in _SENT)]


def _failure(play: Play, miss: _Miss, follows: Sequence[_Miss]) -> Failure:
    keys = {miss.key, *(one.key for one in follows)}
    details = [f"同一个原因：{one.text}" for one in follows]
    details += guard_lines(play.story, play.program.zone, play.began_at) if keys & _GUARDED else ()
    details += judge_sends.not_sent_lines(play) if keys & _SENT else ()
    told = f"{miss.text}（{elapsed(play.began_at, play.now)}）"
    return Failure(span=miss.span, text=told, details=tuple(details))


def run_of(play: Play) -> Enrolment | None:
    """The run that is tested while it lives, None: it has ended, or never began."""
    return next((run for key, run in play.customer().enrolments.items() if key == play.story.run), None)


def _state(play: Play, expect: Expect) -> Iterator[str]:
    story = play.story
    actual = f"{story.state or '没有开始'}" + (f"（卡住：{story.stuck}）" if story.stuck else "")
    if story.state != expect.state or story.stuck:
        yield f"期望 state {expect.state}，实际 {actual}"


def _path(play: Play, expect: Expect) -> Iterator[str]:
    """The last states that were entered, in this order, up to now."""
    if tuple(play.story.path[-len(expect.path) :]) != expect.path:
        yield f"期望 path {' → '.join(expect.path)}，实际 {' → '.join(play.story.path) or '没有开始'}"


def _slot(play: Play, expect: Expect) -> Iterator[str]:
    run = run_of(play)
    known: Mapping[str, Json] = run.slots if run is not None else play.story.answers
    for name, wanted in expect.slot.items():
        if run is None and name not in known:
            yield f"slot {name}：旅程已经结束，这个值不再保留；把 expect 放到结束之前"
        elif known.get(name) != wanted:
            yield f"期望 slot {name} = {shown(wanted)}，实际 {shown(known.get(name))}"


def _vars(play: Play, expect: Expect) -> Iterator[str]:
    run = run_of(play)
    if run is None:
        yield "vars：旅程已经结束或没有开始，值不再保留；把 expect 放到结束之前"
        return
    known = {**run.saved, **run.values}
    for name, wanted in expect.vars.items():
        actual = known.get(name)
        if not _holds(actual, wanted):
            yield f"期望 vars {name} = {shown(wanted)}，实际 {shown(actual)}"


def _holds(actual: Json, wanted: Json) -> bool:
    """A record holds what is wanted when it has all of its fields so; it may have more."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        return all(_holds(actual.get(name), value) for name, value in wanted.items())
    return actual == wanted


def _customer(play: Play, expect: Expect) -> Iterator[str]:
    attributes = play.customer().attributes
    declared = play.program.library.attributes
    for name, wanted in expect.customer.items():
        actual = attributes.get(name)
        if actual is None and name in declared:
            actual = declared[name].default
        if actual != wanted:
            yield f"期望 customer.{name} = {shown(wanted)}，实际 {shown(actual)}"


def _tags(play: Play, expect: Expect) -> Iterator[str]:
    tags = play.customer().tags
    for tag in expect.tags:
        if tag.startswith("-") and tag[1:] in tags:
            yield f"期望没有标签 {tag[1:]}，实际有"
        elif not tag.startswith("-") and tag not in tags:
            yield f"期望有标签 {tag}，实际 {listed(sorted(tags))}"


def _score(play: Play, expect: Expect) -> Iterator[str]:
    actual = play.customer().score
    if actual != expect.score:
        yield f"期望 score {expect.score}，实际 {actual}"


def _points(play: Play, expect: Expect) -> Iterator[str]:
    actual = play.customer().points
    if actual != expect.points:
        yield f"期望 points {expect.points}，实际 {actual}"


def _effects(play: Play, expect: Expect) -> Iterator[str]:
    done = play.story.effects()
    missing = _first_missing(expect.effects, done)
    if missing is not None:
        yield f"期望动作 {missing}，实际依次是 {listed([str(one) for one in done])}"


def _first_missing(wanted: Sequence[Wanted], done: Sequence[Wanted]) -> Wanted | None:
    """The first of `wanted` that does not stand in `done` behind those before it."""
    place = 0
    for one in wanted:
        found = next((n for n in range(place, len(done)) if _same(one, done[n])), None)
        if found is None:
            return one
        place = found + 1
    return None


def _same(wanted: Wanted, done: Wanted) -> bool:
    return wanted.kind == done.kind and wanted.name in ("", done.name)


def _goal(play: Play, expect: Expect) -> Iterator[str]:
    if play.story.goal != expect.goal:
        yield f"期望目标{'达成' if expect.goal else '未达成'}，实际{'已达成' if play.story.goal else '没有达成'}"


def _window(play: Play, expect: Expect) -> Iterator[str]:
    wanted = expect.window
    if wanted is None:
        return
    talks = play.customer().conversations.values()
    buckets = [bucket for talk in talks for bucket in talk.buckets if bucket.closes_at > play.now]
    has_room = any(windows.left(talk, play.now) > 0 for talk in talks)
    told = listed([f"{bucket.kind} 剩 {bucket.max - bucket.used}" for bucket in buckets])
    if wanted.kind in ("open", "closed"):
        if has_room != (wanted.kind == "open"):
            yield f"期望 window {wanted.kind}，实际 {told}"
        return
    found = next((bucket for bucket in buckets if bucket.kind == wanted.kind), None)
    if found is None or (wanted.left is not None and found.max - found.used != wanted.left):
        left = "" if wanted.left is None else f" 剩 {wanted.left}"
        yield f"期望 window {wanted.kind}{left}，实际 {told}"


def _answered(play: Play, expect: Expect) -> Iterator[str]:
    """By an interrupt, or a frequent question: `faq`, `opt_out`."""
    answers = [str(one.trace.detail.get("interrupt")) for one in play.story.lately() if one.trace.kind == "interrupt"]
    if expect.answered not in answers:
        yield f"期望由 {expect.answered} 回答，实际 {listed(answers)}"


def _ended(play: Play, expect: Expect) -> Iterator[str]:
    actual = play.story.end or f"还在 {play.story.state or '没有开始'}"
    if play.story.end != expect.ended:
        yield f"期望结束为 {expect.ended}，实际 {actual}"


def _reason(play: Play, expect: Expect) -> Iterator[str]:
    """Why something was not sent, not entered, or a guard did not hold."""
    found = list(dict.fromkeys(_reasons(play)))
    if _plain(expect.reason) not in {_plain(one) for one in found}:
        yield f"期望原因 {expect.reason}，实际 {listed(found)}"


def _reasons(play: Play) -> Iterator[str]:
    for one in play.story.lately():
        detail = one.trace.detail
        match one.trace.kind:
            case "not_sent" | "entry_refused" | "deferred" | "send.refused" | "send.expired" | "send.unknown":
                yield str(detail.get("reason"))
            case "planned" if detail.get("deferred"):
                yield str(detail.get("deferred"))
            case "error":
                yield str(detail.get("error"))
            case "guard" if detail.get("holds") is False:
                yield str(detail.get("guard"))
                values = detail.get("values")
                if isinstance(values, dict) and values.get("window.open") is False:
                    yield "window closed"
            case _:
                continue


def _plain(reason: str) -> str:
    return " ".join(reason.replace("_", " ").replace(".", " ").split()).lower()


def _silence(play: Play, expect: Expect) -> Iterator[str]:
    """Let the time go by, and see that nothing of these classes leaves."""
    wanted = expect.no_sends_after
    if wanted is None:
        return
    before, since = len(play.outside.deliveries), play.now
    play.turn_to(since + wanted.length)
    for one in play.outside.taken(since=before):
        if one.effect.send_class in wanted.classes:
            sent = f"{elapsed(play.began_at, one.at)} 发了 {one.effect.content}（{one.effect.send_class}）"
            yield f"期望此后不再发送 {listed(wanted.classes)}，{sent}"
            return


_CHECKS: Mapping[str, Check] = {
    "sent": judge_sends.sent,
    "then_sent": judge_sends.then_sent,
    "sent_contains": judge_sends.contains,
    "sent_count": judge_sends.count,
    "never_sent": judge_sends.never,
    "sent_once": judge_sends.once,
    "state": _state,
    "path": _path,
    "slot": _slot,
    "vars": _vars,
    "customer": _customer,
    "tags": _tags,
    "score": _score,
    "points": _points,
    "effects": _effects,
    "goal": _goal,
    "window": _window,
    "answered": _answered,
    "ended": _ended,
    "reason": _reason,
    "no_sends_after": _silence,
}
KEYS = frozenset(_CHECKS)
"""Every key of `expect`."""
