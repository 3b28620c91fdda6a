"""What falls into the wrong hours or days. Rules J409, J413."""

from datetime import date, time, timedelta

from bot.authoring.drafts import Drafts
from bot.authoring.nodes import Listing, Node, Scalar, Table, place
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.source import Span
from bot.core.cron import CronFault, parse_cron
from bot.core.entries import ScheduleEntry
from bot.core.rules import QuietHours
from bot.core.states import State, Wait
from bot.core.times import Working

AHEAD = timedelta(days=31)
"""So far ahead the holidays must be known: in December those of January."""


def check(drafts: Drafts) -> None:
    """Report schedules that ring while customers sleep, and years whose holidays nobody knows yet."""
    for draft in drafts.journeys.values():
        quiet = draft.journey.limits.quiet or (drafts.rules.rules.quiet if drafts.rules else None)
        for entry, span in _schedules(draft) if quiet else ():
            _in_quiet(drafts, draft, entry, quiet=quiet, span=span)
    if drafts.today is not None:
        _unofficial(drafts, drafts.today)


def _schedules(draft: JourneyDraft) -> list[tuple[ScheduleEntry, Span]]:
    written = draft.root.entry("enter")
    nodes = written.value.nodes if written and isinstance(written.value, Listing) else ()
    spans = {text.text: text.span for node in nodes if (text := _text(node, "schedule"))}
    entries = [entry for entry in draft.journey.enter if isinstance(entry, ScheduleEntry)]
    return [(entry, span) for entry in entries for text, span in spans.items() if " ".join(text.split()) == entry.cron]


def _text(node: Node, key: str) -> Scalar | None:
    entry = node.entry(key) if isinstance(node, Table) else None
    return entry.value if entry and isinstance(entry.value, Scalar) else None


def _in_quiet(
    drafts: Drafts, draft: JourneyDraft, entry: ScheduleEntry, *, quiet: QuietHours | None, span: Span
) -> None:
    home = drafts.rules.rules.timezone if drafts.rules else ""
    if quiet is None or (entry.timezone and entry.timezone != home):
        return  # on the clocks of another zone it cannot be told
    try:
        rings = parse_cron(entry.cron).times
    except CronFault:
        return  # reported where it was read
    early = [one for one in rings if _is_within(one, quiet)]
    if early:
        shown = f"{quiet.begins:%H:%M}-{quiet.ends:%H:%M}"
        message = f"schedule {early[0]:%H:%M} 落在静默时段 {shown} 内：提醒和营销会顺延"
        draft.page.say("J409", span, message, help="换一个时刻")


def _is_within(at: time, quiet: QuietHours) -> bool:
    if quiet.begins <= quiet.ends:
        return quiet.begins <= at < quiet.ends
    return at >= quiet.begins or at < quiet.ends


def _unofficial(drafts: Drafts, today: date) -> None:
    needed = sorted({today.year, (today + AHEAD).year})
    missing = [year for year in needed if year not in drafts.calendar.official]
    if not missing:
        return
    message = f"{'、'.join(map(str, missing))} 年的放假安排没有正式的表：工作时间只按周末算"
    help = f"公布后写进 journeys/schema/holidays.yaml：years: {{{missing[0]}: {{off: […], work: […]}}}}"
    for scalar in drafts.rules.holidays_at if drafts.rules else ():
        if drafts.rules:
            drafts.rules.page.say("J413", scalar, message, help=help, dated=True)
    for draft in drafts.journeys.values():
        for name, state in draft.journey.states.items():
            if _works(state):
                draft.page.say("J413", draft.places[name].key, message, help=help, dated=True)
        if draft.journey.limits.days == "working":
            draft.page.say("J413", place(draft.root, "limits", "days"), message, help=help, dated=True)


def _works(state: State) -> bool:
    """Whether the state counts in working time."""
    spans: list[object] = [timer.after for timer in state.timers]
    spans += [state.timeout.after] if state.timeout else []
    spans += [state.doing.span] if isinstance(state.doing, Wait) else []
    return any(isinstance(span, Working) for span in spans)
