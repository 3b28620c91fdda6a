"""Names and types in expressions and templates. Rules J203, J206, J207, J208, J308."""

from collections.abc import Iterable, Mapping, Sequence

from bot.authoring.checks import options, unquoted
from bot.authoring.checks.contents import RESERVED
from bot.authoring.checks.environment import Environments
from bot.authoring.drafts import Drafts
from bot.authoring.expression_tree import ROOTS
from bot.authoring.page import ContentUse, Formula, Page, Wants
from bot.authoring.quoting import how_to_write
from bot.authoring.read_content import ContentDraft
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.source import Span
from bot.authoring.suggest import meant, nearest
from bot.core.expressions.analyse import check_guard, check_template, check_value
from bot.core.expressions.infer import Finding
from bot.core.expressions.tree import Template
from bot.core.expressions.types import ANYTHING, Path, Type, TypeEnv
from bot.core.expressions.values import Kind

_KINDS: dict[Type, frozenset[Kind]] = {
    "text": frozenset({"text"}),
    "number": frozenset({"number"}),
    "bool": frozenset({"bool"}),
    "date": frozenset({"date"}),
    "time": frozenset({"time"}),
    "list": frozenset({"list"}),
    "record": frozenset({"record"}),
}
_WANTED: dict[Wants, frozenset[Kind]] = {"time": frozenset({"time"}), "list": frozenset({"list"})}
_VALUE: Path = ("value",)
_NAMES_SHOWN_MAX = 12
"""Names that one finding lists."""


def check(drafts: Drafts) -> None:
    """Report names that are not there and kinds that do not go together."""
    environments = Environments(drafts)
    ours = options.attributes_of(drafts)
    for draft in drafts.journeys.values():
        known = {**ours, **options.variables_of(draft), **options.slots_of(draft)}
        inside = environments.inside(draft)
        for formula in draft.page.formulas:
            env = environments.checking(draft, formula.slot) if formula.slot else inside
            findings = _findings(formula, environments.outside if formula.entering else env)
            _report(draft.page, formula, findings, known)
        for use in draft.page.contents:
            _said(drafts, draft, use, env=inside)
    if drafts.rules:
        for formula in drafts.rules.page.formulas:
            _report(drafts.rules.page, formula, _findings(formula, environments.failing), ours)
    for segment in filter(None, drafts.segments.values()):
        for formula in segment.page.formulas:
            _report(segment.page, formula, _findings(formula, environments.outside), ours)
    for content in drafts.contents.values():
        _content(content, environments.outside)


def _findings(formula: Formula, env: TypeEnv) -> tuple[Finding, ...]:
    if isinstance(formula.tree, Template):
        return check_template(formula.tree, env)
    if formula.wants == "guard":
        return check_guard(formula.tree, env)
    if formula.wants in _WANTED:
        return check_value(formula.tree, env, wanted=_WANTED[formula.wants])
    root, _, name = formula.target.partition(".")
    target = env.type_of((root, name)) if name else None
    return check_value(formula.tree, env, wanted=_KINDS.get(target, ANYTHING) if target else ANYTHING)


def _report(page: Page, formula: Formula, findings: Iterable[Finding], known: options.Options) -> None:
    for finding in unquoted.told(page, formula, findings, known):
        span = page.inside(formula.span, finding.offending)
        hint = next((found for part in reversed(finding.path) if (found := meant(part, finding.candidates))), "")
        usable = "、".join(finding.candidates[:12])
        help = f"可用：{usable}" if usable else _options_of_target(formula, finding, known)
        page.say(finding.rule, span, f"{finding.message}{hint}", help=help)


def _options_of_target(formula: Formula, finding: Finding, known: options.Options) -> str:
    """What may be written there, for a value of the wrong kind that is put into a choice."""
    root, _, name = formula.target.partition(".")
    listed = known.get((root, name), ()) if finding.rule == "J207" else ()
    if not listed:
        return ""
    shown = "、".join(listed[: options.SHOWN_MAX])
    return f"选项：{shown}；写成 {how_to_write(repr(listed[0]), target=formula.target)}"


def _content(draft: ContentDraft, known: TypeEnv) -> None:
    env = _declared(draft, known)
    missing: dict[str, Span] = {}
    for formula in draft.page.formulas:
        for finding in unquoted.told(draft.page, formula, _findings(formula, env), {}):
            span = draft.page.inside(formula.span, finding.offending)
            if finding.path:
                missing.setdefault(".".join(finding.path), span)
            else:
                draft.page.say(finding.rule, span, finding.message)
    _undeclared(draft, missing)


def _undeclared(draft: ContentDraft, missing: Mapping[str, Span]) -> None:
    """J308: each name that is a slip of a declared one by itself, and what `vars` has to be for the others at once."""
    declared = [name for name, _ in draft.vars]
    near = {name: _slip_of(name, declared) for name in missing}
    for name, span in missing.items():
        if near[name]:
            message = f"模板变量 {name} 未声明，是否指 “{near[name]}”？"
            draft.page.say("J308", span, message, help=f"改成 {near[name]}")
    others = [name for name in missing if not near[name]]
    if others:
        message = f"模板变量 {'、'.join(others[:_NAMES_SHOWN_MAX])} 未声明"
        if len(others) > _NAMES_SHOWN_MAX:
            message = f"{message}（共 {len(others)} 个）"
        help = f"在开头写 vars: [{', '.join([*declared, *others])}]"
        draft.page.say("J308", missing[others[0]], message, help=help)


def _slip_of(name: str, declared: Sequence[str]) -> str:
    """The declared name that `name` is a slip of, empty when it is one of its own: short fields need more in common."""
    root, _, field = name.partition(".")
    beside = {one.partition(".")[2]: one for one in declared if one.partition(".")[0] == root}
    found = nearest(field, beside)
    if found is not None:
        return beside[found]
    return "" if root in ROOTS else nearest(name, declared) or ""


def _declared(draft: ContentDraft, known: TypeEnv) -> TypeEnv:
    """The names of `vars`; those of the customer must exist, the others depend on the journey that says it."""
    names: dict[Path, Type] = {}
    for name, span in draft.vars:
        path = tuple(name.split("."))
        found = known.type_of(path)
        if path[0] == "customer" and found is None:
            hint = meant(path[-1], known.beside(path))
            draft.page.say("J206", span, f"{name} 不在 schema/customer.yaml{hint}")
        if draft.content.content in RESERVED and found is None and path[0] != "customer" and path != _VALUE:
            draft.page.say("J308", span, f"引擎说这句话时没有 {name}", help="只能用 customer.… 和 value")
        names[path] = found or "any"
    return TypeEnv(names=names)


def _said(drafts: Drafts, draft: JourneyDraft, use: ContentUse, *, env: TypeEnv) -> None:
    content = drafts.contents.get(use.content)
    if content is None or use.how == "evidence" or (draft.shipped and use.content in RESERVED):
        return
    for name, _ in content.vars:
        path = tuple(name.split("."))
        if path[0] != "customer" and env.type_of(path) is None:
            journey = draft.journey.journey
            message = f"“{use.content}” 用到 {name}，旅程 {journey} 没有声明{meant(path[-1], env.beside(path))}"
            draft.page.say("J308", use.span, message, help=f"在 {journey} 里声明它，或换一条内容")
