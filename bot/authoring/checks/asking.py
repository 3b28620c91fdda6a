"""What expressions ask about: events and segments that exist, and what a database can work out. Rules J213, J221."""

from bot.authoring.checks.references import known_events, some
from bot.authoring.drafts import Drafts
from bot.authoring.page import Formula, Page
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.shelf import EVENTS as EVENTS_FILE
from bot.authoring.suggest import meant
from bot.core.audiences import ground_of
from bot.core.entries import ScheduleEntry, SegmentEntry
from bot.core.expressions.analyse import calls
from bot.core.expressions.ground import Ground
from bot.core.expressions.pushing import unpushable
from bot.core.expressions.tree import Call, Constant, Expression

_OF_EVENTS = frozenset({"count", "last"})
_OF_SEGMENTS = frozenset({"in_segment"})


def check(drafts: Drafts) -> None:
    """Report questions about what is not declared, and conditions over many customers that cannot be searched for."""
    for page in drafts.pages():
        for formula in page.formulas:
            for call in calls(formula.tree.tree if isinstance(formula.tree, Expression) else formula.tree):
                _asks(drafts, page, formula, call)
    if drafts.attributes is None or EVENTS_FILE in drafts.unread or not all(drafts.segments.values()):
        return
    ground = _ground(drafts)
    for draft in filter(None, drafts.segments.values()):
        for formula in draft.page.formulas:
            _pushed(draft.page, formula, ground)
    for journey in drafts.journeys.values():
        for formula in _searched(journey):
            _pushed(journey.page, formula, ground)


def _asks(drafts: Drafts, page: Page, formula: Formula, call: Call) -> None:
    asked = call.arguments[0] if call.arguments else None
    name = asked.value if isinstance(asked, Constant) and isinstance(asked.value, str) else None
    if name is None:
        return
    if call.name in _OF_EVENTS and EVENTS_FILE not in drafts.unread:
        known = known_events(drafts)
        if name not in known:
            message = f"未声明的事件：{name}{meant(name, known)}"
            page.say("J213", page.inside(formula.span, name), message, help=f"在 {EVENTS_FILE} 里声明它")
    if call.name in _OF_SEGMENTS and name not in drafts.segments:
        message = f"没有人群 segments/{name}.yaml{meant(name, sorted(drafts.segments))}"
        page.say("J213", page.inside(formula.span, name), message, help=f"已有：{some(sorted(drafts.segments))}")


def _ground(drafts: Drafts) -> Ground:
    segments = {name: draft.segment for name, draft in drafts.segments.items() if draft and draft.segment}
    attributes = drafts.attributes.attributes if drafts.attributes else {}
    return ground_of(attributes, drafts.events.events if drafts.events else {}, segments)


def _searched(draft: JourneyDraft) -> list[Formula]:
    """The conditions that are asked of many customers at once."""
    journey = draft.journey
    ways = [entry for entry in journey.enter if isinstance(entry, SegmentEntry | ScheduleEntry)]
    wanted = [guard for guard in (journey.audience, *(way.when for way in ways)) if guard] if ways else []
    entering = (formula for formula in draft.page.formulas if formula.entering)
    return [formula for formula in entering if any(formula.tree is guard for guard in wanted)]


def _pushed(page: Page, formula: Formula, ground: Ground) -> None:
    if not isinstance(formula.tree, Expression):
        return
    for local in unpushable(formula.tree.tree, ground):
        message = f"{local.source[:60]} 不能按人群查询：{local.reason}"
        page.say("J221", page.inside(formula.span, local.source), message, help="换成客户属性、标签、授权、事件的条件")
