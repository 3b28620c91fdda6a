"""config.toml and the environment → `Config`, or every complaint there is about them in one report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.overrides import Merged, Value, Where, did_you_mean, merge
from bot.config.sections import Config, Server, Storage, keys_at
from bot.errors import Complaint, ConfigError

ENV = "env:"
_SECRET_KEYS = frozenset({"secret", "token", "aes_key"})
_ACCOUNT_DEPTH = 3
_WEBHOOK_DEPTH = 2
_WEBHOOK_KEY = "key"
_KEYS: Where = ("storage", "keys")
_URL: Where = ("storage", "url")
Section = TypeVar("Section", bound=BaseModel)

_WORDING = {
    "missing": ("没有写", "在这一节里加上它"),
    "int_parsing": ("要写整数", "只写数字，不加引号"),
    "int_type": ("要写整数", "只写数字，不加引号"),
    "int_from_float": ("要写整数", "只写数字，不加引号"),
    "greater_than_equal": ("不能小于 {ge}", "改成范围之内的数"),
    "less_than_equal": ("不能大于 {le}", "改成范围之内的数"),
    "string_type": ("要写文字", "给它加上引号"),
    "string_too_short": ("是空的", "用不到就删掉这个键"),
    "literal_error": ("只能是 {expected}", "写其中一个"),
    "model_type": ("要自成一节", "在它的键上面单独一行写 `[节名]`"),
    "mapping_type": ("要自成一节", "在它的键上面单独一行写 `[节名]`"),
    "tuple_type": ("要写列表", '写成 `["env:NAME"]`'),
    "too_short": ("是空的列表", "用不到就删掉这个键"),
    "too_long": ("最多 {max_length} 个", "删掉多出来的"),
}
"""Kind of fault → what and cure. Faults of our own checks bring both with them."""


class _Report:
    """Complaints by the path of the key they are about. The first about a key is kept: the others follow from it."""

    def __init__(self, merged: Merged) -> None:
        self._merged = merged
        self._found: dict[Where, Complaint] = {}

    def add(self, path: Where, what: str, *, hint: str = "") -> None:
        place = self._merged.place(_KEYS if path[:2] == _KEYS else path)
        self._found.setdefault(path, Complaint(where=place, what=what, hint=hint))

    def below(self, path: Where) -> list[Complaint]:
        """What is wrong at `path` and below, in the order of the keys."""
        strays = [stray.complaint for stray in self._merged.strays if stray.path[: len(path)] == path]
        return [*(self._found[key] for key in sorted(self._found) if key[: len(path)] == path), *strays]


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """The configuration in the file at `path`, with the `ZHITU_SECTION__KEY` variables of `environ` laid over it.

    `env:NAME` stands for the variable NAME. ConfigError holds all complaints, sorted by section and key.
    """
    return _load(Config, (), merged=merge(path, environ), environ=environ)


def load_storage(path: Path, environ: Mapping[str, str]) -> Storage:
    """Only `[storage]`, for commands that talk to no platform and so need no credentials."""
    return _load(Storage, ("storage",), merged=merge(path, environ), environ=environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a configuration names, whether or not its credentials are there. `official_accounts`: name → templates.

    `webhooks`: name → whose system it is.
    """

    official_accounts: Mapping[str, frozenset[str]]
    staff_apps: frozenset[str]
    webhooks: Mapping[str, str] = field(default_factory=dict)

    @property
    def templates(self) -> frozenset[str]:
        """The template names that any official account has registered."""
        return frozenset().union(*self.official_accounts.values())


def declared(path: Path, environ: Mapping[str, str]) -> Declared:
    """The accounts and templates that file and environment name. ConfigError: there is no such file, or no TOML."""
    official: dict[str, frozenset[str]] = {}
    staff: set[str] = set()
    webhooks: dict[str, str] = {}
    for key, value in merge(path, environ).values.items():
        match key:
            case ("channels", "oa", name, "templates", template):
                official[name] = official.get(name, frozenset()) | {template}
            case ("channels", "oa", name, *_):
                official.setdefault(name, frozenset())
            case ("channels", "wecom", name, *_):
                staff.add(name)
            case ("webhooks", name, "recipient"):
                webhooks[name] = str(value)
            case ("webhooks", name, *_):
                webhooks.setdefault(name, "")
    return Declared(official_accounts=official, staff_apps=frozenset(staff), webhooks=webhooks)


def _load(section: type[Section], at: Where, *, merged: Merged, environ: Mapping[str, str]) -> Section:
    report = _Report(merged)
    _report_open_secrets(merged, report)
    values = {path: _resolved(path, value, environ=environ, report=report) for path, value in merged.values.items()}
    _report_relations(values, report)
    tree = _tree(values)
    for name in at:
        tree = tree.get(name, {})  # type: ignore[assignment]  # a value in the place of a section is complained about below
    try:
        checked = section.model_validate(tree)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            _report_fault(at, fault, report=report)
        raise ConfigError(report.below(at)) from None
    if complaints := report.below(at):
        raise ConfigError(complaints)
    return checked


def _resolved(path: Where, value: Value, *, environ: Mapping[str, str], report: _Report) -> Value:
    """`value` with `env:NAME` replaced by that variable; a complaint when it is not set."""
    if isinstance(value, list):
        return [_resolved((*path, str(n)), element, environ=environ, report=report) for n, element in enumerate(value)]
    if not isinstance(value, str) or not value.startswith(ENV):
        return value
    name = value.removeprefix(ENV)
    if not environ.get(name):
        report.add(path, f"环境变量 `{name}` 没有设置", hint=f"`export {name}=…`，或改用别的变量")
    return environ.get(name, "")


def _tree(values: Mapping[Where, Value]) -> dict[str, Value]:
    root: dict[str, Value] = {}
    for path in sorted(values, key=len):
        table: Value = root
        for name in path[:-1]:
            table = table.setdefault(name, {}) if isinstance(table, dict) else table
        if isinstance(table, dict):  # else the file has a value where a section belongs, and is told so
            table[path[-1]] = dict(value) if isinstance(value := values[path], dict) else value
    return root


def _report_open_secrets(merged: Merged, report: _Report) -> None:
    for path, value in merged.values.items():
        if path in merged.variables:
            continue
        if path[:1] == ("channels",) and len(path) == _ACCOUNT_DEPTH + 1 and path[-1] in _SECRET_KEYS:
            _report_if_open(path, value, report=report)
        if path[:1] == ("webhooks",) and len(path) == _WEBHOOK_DEPTH + 1 and path[-1] == _WEBHOOK_KEY:
            _report_if_open(path, value, report=report)
        if path == _KEYS and isinstance(value, list):
            for n, element in enumerate(value):
                _report_if_open((*path, str(n)), element, report=report)


def _report_if_open(path: Where, value: Value, *, report: _Report) -> None:
    if isinstance(value, str) and value and not value.startswith(ENV):
        report.add(path, "密钥写在了文件里，谁都能看到", hint=_secret_hint(path))


def _secret_hint(path: Where) -> str:
    written = '["env:NAME"]' if path[:2] == _KEYS else '"env:NAME"'
    return f"写成 `{path[-1] if path[:2] != _KEYS else 'keys'} = {written}`，再设置环境变量 NAME"


def _report_relations(values: Mapping[Where, Value], report: _Report) -> None:
    """What no single key can be blamed for. Looks at raw values, so that it is told together with everything else."""
    _report_ports(values, report)
    url = values.get(_URL)
    if isinstance(url, str) and url.startswith("postgresql") and _KEYS not in values:
        report.add(_KEYS, "没有写：PostgreSQL 没有密钥文件", hint=_secret_hint(_KEYS))
    if not any(path[:1] == ("channels",) and len(path) >= _ACCOUNT_DEPTH for path in values):
        report.add(("channels", "oa"), "一个账号也没有", hint="加一节 `[channels.oa.main]`")
    for path in sorted({path[:_ACCOUNT_DEPTH] for path in values if path[:2] == ("channels", "oa")}):
        mode = values.get((*path, "mode"), "safe")
        if mode in ("safe", "compatible") and (*path, "aes_key") not in values and len(path) == _ACCOUNT_DEPTH:
            report.add((*path, "aes_key"), f"没有写，而 mode `{mode}` 需要它", hint=_secret_hint((*path, "aes_key")))
    _report_twins(values, report, kind="oa", same=("app_id",))
    _report_twins(values, report, kind="wecom", same=("corp_id", "agent_id"))


def _report_ports(values: Mapping[Where, Value], report: _Report) -> None:
    server = Server()
    port = values.get(("server", "port"), server.port)
    admin_port = values.get(("server", "admin_port"), server.admin_port)
    if str(port) == str(admin_port) != "0":
        report.add(("server", "admin_port"), f"和 port 一样：{port}", hint="指标要有自己的端口")


def _report_twins(values: Mapping[Where, Value], report: _Report, *, kind: str, same: Where) -> None:
    """Two sections for one account of the platform would each keep a token, a ledger and customers of their own."""
    blamed = same[-1]
    first: dict[tuple[str, ...], Where] = {}
    for path in sorted(
        path[:_ACCOUNT_DEPTH] for path in values if path[:2] == ("channels", kind) and path[3:] == (blamed,)
    ):
        identity = tuple(str(values.get((*path, key), "")) for key in same)
        if not all(identity):
            continue
        twin = first.setdefault(identity, path)
        if twin != path:
            report.add((*path, blamed), f"和 [{'.'.join(twin)}] 里的一样", hint="两节只留一节")


def _listed(choices: str) -> str:
    """`'a', 'b' or 'c'` as pydantic lists it, in Chinese."""
    return choices.replace(" or ", "、").replace(", ", "、")


def _report_fault(at: Where, fault: ErrorDetails, *, report: _Report) -> None:
    path = (*at, *(str(part) for part in fault["loc"] if part != "[key]"))
    context = fault.get("ctx", {})
    what, hint = fault["msg"], str(context.get("hint", ""))
    if fault["type"] in _WORDING:
        what, hint = _WORDING[fault["type"]]
        what = what.format_map({**context, "expected": _listed(str(context.get("expected", "")))})
    if fault["type"] == "extra_forbidden":
        what, hint = f"未知的键 `{path[-1]}`", did_you_mean(path[-1], keys_at(path[:-1]) or frozenset())
    if fault["type"] == "missing" and (
        path[-1] in _SECRET_KEYS or (path[:1] == ("webhooks",) and path[-1] == _WEBHOOK_KEY)
    ):
        hint = _secret_hint(path)
    report.add(path, what, hint=hint)
