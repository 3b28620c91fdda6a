"""What is written about the program is true of it, and what it has is written about."""

import ast
import re
from pathlib import Path

import pytest
from typer.main import get_command

from bot import authoring, errors
from bot.authoring.rulebook import RULES
from bot.cli import app
from bot.config import sections
from bot.core import effects, events

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "journeys" / "README.md").read_text(encoding="utf-8")
CONFIG = (ROOT / "config.toml").read_text(encoding="utf-8")
EVENT_TYPE = re.compile(r"`([a-z]+(?:\.[a-z_]+)?)`")
SECTION_PATHS = [
    (),
    ("server",),
    ("storage",),
    ("channels",),
    ("channels", "oa", "main"),
    ("channels", "wecom", "main"),
    ("webhooks", "crm"),
]


def commands() -> set[str]:
    return set(get_command(app).commands)  # type: ignore[attr-defined]  # a group, as there are several commands


def test_the_readme_fits_on_one_screen() -> None:
    assert len(README.splitlines()) <= 70


def test_the_readme_names_exactly_the_commands_there_are() -> None:
    named = set(re.findall(r"`(?:uv run )?zhitu ([a-z]+)", README)) | set(re.findall(r"uv run zhitu (\w+)", README))
    assert named == commands()


def test_the_guide_explains_exactly_the_commands_there_are() -> None:
    assert set(re.findall(r"^\| `zhitu ([a-z]+)", GUIDE, flags=re.MULTILINE)) == commands()


def test_every_option_that_the_guide_shows_belongs_to_its_command() -> None:
    shown = {
        (name, option)
        for line in GUIDE.splitlines()
        if line.startswith("| `zhitu ")
        for name in re.findall(r"`(?:uv run )?zhitu ([a-z]+)", line)
        for option in re.findall(r"`(--[a-z-]+)", line)
    }
    known = get_command(app).commands  # type: ignore[attr-defined]  # a group, as there are several commands
    assert shown
    assert [pair for pair in shown if pair[1] not in {o for p in known[pair[0]].params for o in p.opts}] == []


def test_the_continuous_check_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    for command in ("uv run pytest -n auto", "uv run poe check"):
        assert command in README
        assert command in script


@pytest.mark.parametrize("page", ["README.md", "journeys/README.md"])
def test_every_file_that_a_page_links_exists(page: str) -> None:
    file = ROOT / page
    linked = re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8"))
    assert linked
    assert [name for name in linked if not (file.parent / name).exists()] == []


def test_the_journey_in_the_readme_passes_the_checker(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    assert len(text.splitlines()) <= 32
    journeys = tmp_path / "journeys"
    for shipped in (ROOT / "journeys").rglob("*.yaml"):
        copy = journeys / shipped.relative_to(ROOT / "journeys")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(shipped.read_bytes())
    (name,) = re.findall(r"^journey: (\S+)", text, flags=re.MULTILINE)
    (journeys / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = authoring.load(journeys, ROOT / "content", templates=None).diagnostics
    assert [(finding.rule, finding.line, finding.message) for finding in found] == []


@pytest.mark.parametrize("path", SECTION_PATHS, ids=lambda path: ".".join(path) or "top")
def test_every_key_of_the_configuration_is_explained_in_the_shipped_file(path: tuple[str, ...]) -> None:
    known = sections.keys_at(path) or frozenset()
    assert known
    headers = re.findall(r"^(?:# )?\[(.+)\]$", CONFIG, flags=re.MULTILINE)
    tables = {part for header in headers for part in header.split(".")}
    keys = set(re.findall(r'^(?:# )?"?(\w+)"? = ', CONFIG, flags=re.MULTILINE))
    assert sorted(known - keys - tables) == []


def test_every_type_of_event_in_the_code_stands_in_the_table_of_events() -> None:
    table = "\n".join(line.split("|")[1] for line in (events.__doc__ or "").splitlines() if line.startswith("|"))
    documented = set(EVENT_TYPE.findall(table))
    built = {
        keyword.value.value
        for path in (ROOT / "bot").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event"
        for keyword in node.keywords
        if keyword.arg == "type" and isinstance(keyword.value, ast.Constant)
    }
    assert documented
    assert sorted(built - documented) == []


def test_every_effect_and_every_error_says_what_it_means() -> None:
    kinds = list(effects.Effect.__args__)  # type: ignore[attr-defined]  # a union has its members there
    tree = [errors.BotError]
    for error in tree:
        tree += error.__subclasses__() if error.__module__ == errors.__name__ else []
    ours = [error for error in tree if error.__module__ == errors.__name__]
    assert len(ours) > 10
    assert [
        kind.__name__ for kind in (*kinds, *ours) if not kind.__doc__ or kind.__doc__.startswith(f"{kind.__name__}(")
    ] == []


def test_every_rule_of_the_checker_is_explained_to_marketers() -> None:
    assert [rule for rule in RULES if rule not in GUIDE] == []
