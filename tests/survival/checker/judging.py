"""The verdict: every column of benchmarks.md 3, with examples of what stands in it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.survival.checker.answers import Answers
from tests.survival.checker.excuses import CLOSING_S, Excuses
from tests.survival.checker.expected import (
    AFTER_OPT_OUT,
    ANSWERS,
    BOT,
    FORWARDED,
    HELD_BACK,
    OFFERS_MAX,
    PROMISES,
    PUT_OFF_S,
    RESTS,
    SILENT,
    Event,
    Promise,
    Token,
)
from tests.survival.checker.seen import Acceptance, Deed, Seen

COLUMNS = (
    *("lost in", "lost out", "duplicate", "out of order", "early", "late", "stuck", "forbidden"),
    "unexplained",
)
LATE_S = 60.0
"""How late a message may be, the time in which it could not leave taken off."""
LONG_S = 5.0
"""A product that was away for less than the pause between two deliveries takes the next one in."""
CATCH_UP_S = 16.0
"""So long after a start no timer fires (delivery.md 2.3)."""
REST_S = 65.0
"""So long an account may rest after its platform refused everything."""
EXAMPLES_MAX = 8


@dataclass(slots=True, kw_only=True)
class Verdict:
    """The counts of all columns, and what is told beside them."""

    columns: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    repeats: dict[str, int] = field(default_factory=dict)
    excused: dict[str, int] = field(default_factory=dict)
    deaths: dict[str, int] = field(default_factory=dict)
    missed: int = 0
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether every column is 0."""
        return not any(self.columns.values())

    def add(self, column: str, example: str, count: int = 1) -> None:
        """Count something in a column."""
        self.columns[column] += count
        if len(self.examples[column]) < EXAMPLES_MAX:
            self.examples[column].append(example)


def judge(seen: Seen) -> Verdict:
    """What the run did to its customers."""
    answers = Answers(seen)
    verdict, excuses = Verdict(), Excuses(seen, answers)
    _coming_in(seen, verdict)
    for event, deed in seen.deeds.items():
        for ordinal, promise in PROMISES[event.letter].items():
            token = Token(event, ordinal)
            accepted = seen.accepted.get(token, [])
            if accepted:
                _came(seen, verdict, excuses, (token, promise, deed, accepted))
                continue
            is_missing = deed.acked_at is not None and _must_come(seen, token) and not _is_moot(answers, event)
            if is_missing and not excuses.for_missing(token, promise):
                verdict.add("lost out", _shown(token))
    for token, accepted in seen.thanked.items():
        if token.event in seen.deeds:
            _came(seen, verdict, excuses, (token, PROMISES["a"][1], seen.deeds[token.event], accepted))
    _unasked(seen, verdict, answers)
    for came in seen.transcript.values():
        _order(seen, verdict, excuses, came)
    _forbidden(seen, verdict)
    for what, count in seen.stuck.items():
        verdict.add("stuck", f"{count} {what}", count)
    if seen.broken:
        verdict.add("lost in", f"the database does not open: {seen.broken}", max(1, sum(seen.acked_callbacks.values())))
    for row in excuses.unexplained():
        verdict.add("unexplained", f"{row.content} to {row.conversation} is {row.state}")
    verdict.excused = dict(excuses.used)
    _tell(seen, verdict)
    return verdict


def _coming_in(seen: Seen, verdict: Verdict) -> None:
    if seen.broken:
        return
    for actor, acked in seen.acked_callbacks.items():
        lost = acked - seen.consumed.get(actor, 0)
        if lost > 0:
            verdict.add("lost in", f"{actor}: {lost} of {acked}", lost)
    for actor, stored in seen.stored.items():
        doubled = stored - seen.sent_callbacks.get(actor, 0)
        # What an advisor says is stored twice by design: once as hers, and once more in the lane of her customer.
        if doubled > 0 and actor.startswith("oBuyer"):
            verdict.add("duplicate", f"{actor}: {doubled} events stored twice", doubled)


def _must_come(seen: Seen, token: Token) -> bool:
    """Whether silence would need an excuse."""
    customer, letter = token.event.customer, token.event.letter
    opted = seen.opt_outs.get(customer)
    deed = seen.deeds[token.event]
    if letter in FORWARDED and any(b <= deed.at <= e + CLOSING_S for b, e in seen.talks.get(customer, ())):
        return False
    if letter in HELD_BACK and _is_awaited(seen, customer, deed):
        return False
    if letter in ANSWERS and not _was_asked(seen, token):
        return False
    if opted is not None and letter == "m" and deed.at > opted.at:
        return False
    if opted is not None and PROMISES[letter][token.ordinal].after_s:
        # What was to come later has ended with all her journeys, if a death or a rest had put it off until then.
        return False
    if letter == "m":
        earlier = (seen.deeds.get(Event(letter, customer, number)) for number in range(token.event.number))
        return sum(1 for one in earlier if one is not None) < OFFERS_MAX
    return True


def _is_moot(answers: Answers, event: Event) -> bool:
    """Whether a question has taken these words for its answer, or other words for this answer."""
    return answers.is_taken(event) or (event.letter in ANSWERS and answers.is_elsewhere(event))


def _is_awaited(seen: Seen, customer: int, deed: Deed) -> bool:
    """Whether she had asked for an advisor before, and no conversation with one was closed since."""
    asked = [d.at for e, d in seen.deeds_of(customer) if e.letter == "h" and d.at < deed.at and d.acked_at is not None]
    return bool(asked) and not any(max(asked) < at <= deed.at for at in seen.closings.get(customer, ()))


def _was_asked(seen: Seen, answer: Token) -> bool:
    """Whether the question before this answer was ever acknowledged: else her words are no answer."""
    customer, letter = answer.event.customer, ANSWERS[answer.event.letter]
    question = seen.deeds.get(Event(letter, customer, answer.event.number - 1))
    return question is not None and question.acked_at is not None


def _is_in_talk(seen: Seen, customer: int, deed: Deed) -> bool:
    """Whether it was written after an advisor's first words had come, and acknowledged before she closed."""
    until = deed.acked_at
    return until is not None and any(
        began <= deed.at and until < ended for began, ended in seen.floors.get(customer, ())
    )


def _came(seen: Seen, verdict: Verdict, excuses: Excuses, one: tuple[Token, Promise, Deed, list[Acceptance]]) -> None:
    token, promise, deed, accepted = one
    first = accepted[0]
    due_at = deed.at + promise.after_s
    # Moments that cross the border are whole seconds there.
    if first.at < (int(deed.at) + promise.after_s if promise.after_s else deed.at):
        verdict.add("early", _shown(token))
    for number, again in enumerate(accepted[1:], 1):
        earlier = accepted[number - 1]
        why = ""
        if number <= promise.repeats_max and not again.keyed:
            why = "lost reply" if not earlier.answered else excuses.for_repeat(token, promise, earlier.at, again.at)
        if why:
            verdict.repeats[why] = verdict.repeats.get(why, 0) + 1
        else:
            verdict.add("duplicate", f"{_shown(token)} {again.at - earlier.at:.1f} s later")
    if deed.acked_at is not None:
        begins = max(deed.acked_at, due_at)
        if token.event.letter in HELD_BACK and _is_awaited(seen, token.event.customer, deed):
            begins = max([begins, *(at for at in seen.closings[token.event.customer] if at <= first.at)])
        _lateness(seen, verdict, seen.receivers.get(token, ""), (_shown(token), begins, first.at))


def _lateness(seen: Seen, verdict: Verdict, receiver: str, span: tuple[str, float, float]) -> None:
    shown, begins, ends = span
    plain = ends - begins
    verdict.figures["latest_s"] = max(verdict.figures.get("latest_s", 0.0), plain)
    if plain <= LATE_S:
        return
    late = plain - _overlap(_outages(seen, receiver), begins, ends)
    verdict.figures["latest_without_outages_s"] = max(verdict.figures.get("latest_without_outages_s", 0.0), late)
    if late > LATE_S:
        verdict.add("late", f"{shown} {late:.1f} s")


def _is_down(seen: Seen, at: float) -> bool:
    """Whether the product was away for so long that it missed all three deliveries of a callback."""
    long = (blow for blow in seen.blows if blow.until - blow.at >= LONG_S)
    return any(blow.at <= at <= blow.until + CATCH_UP_S for blow in long)


def _outages(seen: Seen, receiver: str) -> list[tuple[float, float]]:
    """When the product could not do its work, or nothing could leave it to this receiver."""
    spans = [(blow.at, blow.until + CATCH_UP_S) for blow in seen.blows]
    spans += [(fault.at, fault.until + REST_S) for fault in seen.faults.values() if fault.name in RESTS]
    spans += [(at, at + PUT_OFF_S + REST_S) for at in seen.put_off.get(receiver, ())]
    spans += seen.full_hours(receiver)
    return sorted(spans)


def _overlap(spans: Iterable[tuple[float, float]], begins: float, ends: float) -> float:
    covered, at = 0.0, begins
    for start, stop in spans:
        start, stop = max(start, at), min(stop, ends)
        if stop > start:
            covered += stop - start
            at = stop
    return covered


def _unasked(seen: Seen, verdict: Verdict, answers: Answers) -> None:
    """Messages that nobody has asked for."""
    for token in answers.unasked:
        verdict.add("forbidden", f"{_shown(token)} thanked for, though no question was open")
    for token in seen.accepted:
        if answers.is_taken(token.event):
            verdict.add("forbidden", f"{_shown(token)} though it was taken for an answer")
        if token.event not in seen.deeds or token.ordinal not in PROMISES[token.event.letter]:
            verdict.add("forbidden", f"{_shown(token)} unasked")
        letter = ANSWERS.get(token.event.letter)
        if letter is not None:
            question = Token(Event(letter, token.event.customer, token.event.number - 1), 1)
            asked = seen.accepted.get(question)
            if asked and asked[0].at > seen.accepted[token][0].at:
                verdict.add("early", f"{_shown(token)} before its question")


def _order(seen: Seen, verdict: Verdict, excuses: Excuses, came: list[tuple[float, Token]]) -> None:
    """What is answered at once keeps the order of the events, where one was acknowledged before the next began."""
    known: set[Token] = set()
    front: Token | None = None
    for at, token in came:
        deed = seen.deeds.get(token.event)
        promise = PROMISES[token.event.letter].get(token.ordinal)
        if token in known or deed is None or promise is None or promise.after_s or token.event.letter == "s":
            continue
        known.add(token)
        place = (token.event.number, token.ordinal)
        if front is not None and place < (front.event.number, front.ordinal):
            is_known = token.event == front.event or (deed.acked_at or seen.last_at) <= seen.deeds[front.event].at
            if is_known and not excuses.is_straggler(token, promise, at):
                verdict.add("out of order", f"{_shown(token)} after {_shown(front)}")
        else:
            front = token


def _forbidden(seen: Seen, verdict: Verdict) -> None:
    if seen.over_window:
        verdict.add("forbidden", f"{seen.over_window} over the window", seen.over_window)
    if seen.unfaithful:
        verdict.add("forbidden", f"{seen.unfaithful} requests that no platform documents", seen.unfaithful)
    offers = Counter(t.event.customer for t in seen.accepted if t.event.letter == "m")
    for customer, count in offers.items():
        if count > OFFERS_MAX:
            verdict.add("forbidden", f"customer {customer}: {count} offers", count - OFFERS_MAX)
    for token, accepted in seen.accepted.items():
        deed = seen.deeds.get(token.event)
        if deed is None:
            continue
        customer, letter = token.event.customer, token.event.letter
        opted = seen.opt_outs.get(customer)
        is_later = token.ordinal == 2 and letter in AFTER_OPT_OUT
        if opted is not None and opted.acked_at is not None and is_later and opted.acked_at < int(deed.at) + 2:
            verdict.add("forbidden", f"{_shown(token)} after the opt-out")
        if opted is not None and letter == "m" and deed.at > (opted.acked_at or seen.last_at):
            verdict.add("forbidden", f"{_shown(token)} after the opt-out")
        if letter in BOT & SILENT and token.ordinal == 1 and _is_in_talk(seen, customer, deed):
            verdict.add(
                "forbidden", f"{_shown(token)} while a colleague has the floor, {accepted[0].at - deed.at:.1f} s"
            )


def _tell(seen: Seen, verdict: Verdict) -> None:
    verdict.deaths = dict(sorted(Counter(blow.name for blow in seen.blows if blow.hit).items()))
    verdict.missed = sum(1 for blow in seen.blows if not blow.hit)
    verdict.figures |= {
        "events": sum(seen.acked_callbacks.values()),
        "turned away": sum(1 for at in seen.given_up if not _is_down(seen, at)),
        "promising something": len(seen.deeds) + len(seen.opt_outs),
        "accepted": sum(len(found) for found in seen.accepted.values()),
        "unknown": seen.unknown,
        "in flight at deaths": sum(len(blow.sending) for blow in seen.blows),
        "lies": seen.lies,
        "platforms_standstill_s": seen.standstill_s,
    }


def _shown(token: Token) -> str:
    return f"{token.event.letter}:{token.event.customer}.{token.event.number}.{token.ordinal}"
