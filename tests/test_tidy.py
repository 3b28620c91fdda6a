"""The limits of the house style as assertions: what a reader may rely on in every file."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[1]
LINES_MAX = 500
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 5
TEST_NAME_WORDS_MIN = 3
BANNED_NAMES = {
    *("utils", "helpers", "common", "misc", "base", "manager", "service", "processor", "handler", "data", "info"),
    "item",
}
LOOP_TOPS = {
    "bot/runtime/door.py": 1,  # a bug in what comes in: whoever waits for its commit hears of it
    "bot/web/webhook.py": 1,  # a bug in reading a callback: it is quarantined, as it came
    "bot/runtime/stepping.py": 1,  # a bug parks one customer's lane, the loop goes on
    "bot/runtime/steps.py": 1,  # a batch that fails as a whole: the lane it lies in is looked for
    "bot/runtime/outbox.py": 1,  # a bug settles one send, the loop goes on
    "bot/runtime/errands.py": 3,  # a bug leaves one errand to the end of its lease, or parks its customer's lane
    "bot/runtime/reloading.py": 1,  # a bug in looking at the files: said, and the next save is looked at
    "bot/runtime/engine.py": 1,  # the top of both loops: neither ever ends before it is asked to
}
"""Where every exception may be caught, and how often."""

MACHINE_PATHS = re.compile(r"(?<![\w.-])/(?:[w]ork|[r]oot|[h]ome/\w+|[U]sers/\w+)/")
REGISTRY_HOSTS = re.compile(r"[p]ypi\.org|[p]ythonhosted\.org|[n]pmjs\.|[d]eb\.debian\.org|[m]irrors?\.\w+\.\w+")
LOCKED = {"uv.lock"}

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return tuple(ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file())


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Everything in a tree: many tests ask, and walking is most of what they do."""
    return tuple(ast.walk(tree))


@cache
def modules(top: str) -> dict[str, ast.Module]:
    """Path below the root → syntax tree, for the Python files below `top`."""
    found = {path.relative_to(ROOT).as_posix(): path for path in tracked() if path.suffix == ".py"}
    return {name: parsed(path) for name, path in found.items() if name.startswith(f"{top}/")}


@pytest.fixture(scope="module", autouse=True)
def nothing_is_kept_for_other_files() -> Iterator[None]:
    """A million nodes would slow down every collection of garbage after these tests."""
    yield
    for kept in (text_of, parsed, nodes, modules):
        kept.cache_clear()


def everything() -> dict[str, ast.Module]:
    return modules("bot") | modules("tests")


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in nodes(tree) if isinstance(node, Function))


def places(trees: dict[str, ast.Module], breaks: Callable[[Function], bool]) -> list[str]:
    """Where functions break a rule: `file:line name`."""
    return [
        f"{name}:{function.lineno} {function.name}"
        for name, tree in trees.items()
        for function in functions(tree)
        if breaks(function)
    ]


def dotted(node: ast.expr) -> str:
    """`a.b.c` for such an expression, else the empty text."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            return f"{dotted(inner)}.{name}"
        case _:
            return ""


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    return ((node, dotted(node.func)) for node in nodes(tree) if isinstance(node, ast.Call))


def test_the_trees_are_found() -> None:
    assert "bot/errors.py" in modules("bot")
    assert "tests/test_tidy.py" in modules("tests")


def test_no_file_is_longer_than_the_limit() -> None:
    lengths = {name: len(text_of(ROOT / name).splitlines()) for name in everything()}
    assert {name: length for name, length in lengths.items() if length > LINES_MAX} == {}


def test_no_function_is_longer_than_the_limit() -> None:
    def too_long(function: Function) -> bool:
        return (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES_MAX

    assert places(everything(), too_long) == []


def own_parameters(function: Function) -> list[ast.arg]:
    return [arg for arg in (*function.args.posonlyargs, *function.args.args) if arg.arg not in ("self", "cls")]


def test_no_function_takes_more_parameters_than_the_limit() -> None:
    def is_command(function: Function) -> bool:
        return not own_parameters(function)  # keyword-only, one for each option of the command line

    def too_many(function: Function) -> bool:
        return len(own_parameters(function)) + len(function.args.kwonlyargs) > PARAMETERS_MAX

    found = places(modules("bot"), too_many)
    commands = places({name: tree for name, tree in modules("bot").items() if "/cli/" in name}, is_command)
    assert sorted(set(found) - set(commands)) == []


def test_no_truth_value_is_passed_by_position() -> None:
    def takes_one(function: Function) -> bool:
        return any(
            isinstance(arg.annotation, ast.Name) and arg.annotation.id == "bool" for arg in own_parameters(function)
        )

    assert places(modules("bot"), takes_one) == []


def words_of(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def test_no_module_or_class_has_a_name_without_meaning() -> None:
    stems = [
        name for name in modules("bot") if Path(name).stem in BANNED_NAMES or Path(name).parent.name in BANNED_NAMES
    ]
    classes = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in modules("bot").items()
        for node in nodes(tree)
        if isinstance(node, ast.ClassDef) and words_of(node.name)[-1] in BANNED_NAMES
    ]
    assert stems + classes == []


def test_the_core_asks_neither_the_clock_nor_chance() -> None:
    asked = [
        f"{name}:{node.lineno} {called}"
        for name, tree in (modules("bot/core") | modules("bot/understanding")).items()
        for node, called in calls(tree)
        if re.search(r"\b(?:datetime|date|time)\.(?:now|utcnow|today|time|monotonic)$|\brandom\.", called)
    ]
    assert asked == []


def catches_everything(handler: ast.ExceptHandler) -> bool:
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or dotted(kind) in ("Exception", "BaseException") for kind in named)


def handlers(top: str) -> Iterator[tuple[str, ast.ExceptHandler]]:
    for name, tree in modules(top).items():
        yield from ((name, node) for node in nodes(tree) if isinstance(node, ast.ExceptHandler))


def test_everything_is_caught_only_at_the_tops_of_the_loops() -> None:
    counted: dict[str, int] = {}
    for name, handler in handlers("bot"):
        counted[name] = counted.get(name, 0) + catches_everything(handler)
    assert {name: count for name, count in counted.items() if count > LOOP_TOPS.get(name, 0)} == {}


def test_no_exception_is_swallowed() -> None:
    swallowed = [
        f"{name}:{handler.lineno}"
        for name, handler in handlers("bot")
        if all(isinstance(line, ast.Pass) for line in handler.body)
    ]
    suppressed = [
        f"{name}:{node.lineno}"
        for name, tree in modules("bot").items()
        for node, called in calls(tree)
        if called.endswith("suppress") and any(dotted(arg) in ("Exception", "BaseException") for arg in node.args)
    ]
    assert swallowed + suppressed == []


def test_no_work_is_left_as_a_stub() -> None:
    marks = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|NotImplemented[E]rror)\b")
    assert [name for name in everything() if marks.search(text_of(ROOT / name))] == []


def test_no_test_waits_by_sleeping() -> None:
    def passes_time(node: ast.Call) -> bool:
        return not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)

    slept = [
        f"{name}:{node.lineno}"
        for name, tree in modules("tests").items()
        for node, called in calls(tree)
        if called in ("sleep", "time.sleep", "asyncio.sleep") and passes_time(node)
    ]
    assert slept == []


def test_no_test_patches_our_own_code() -> None:
    mocks = [
        name
        for name, tree in modules("tests").items()
        for node in nodes(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("unittest.mock", "mock")))
        or (isinstance(node, ast.Import) and any(alias.name in ("unittest.mock", "mock") for alias in node.names))
    ]
    patched = [
        f"{name}:{node.lineno}"
        for name, tree in modules("tests").items()
        for node, called in calls(tree)
        if called.endswith(("monkeypatch.setattr", "monkeypatch.delattr"))
    ]
    assert mocks + patched == []


def test_test_names_are_sentences() -> None:
    def too_short(function: Function) -> bool:
        return function.name.startswith("test") and len(function.name.split("_")) - 1 < TEST_NAME_WORDS_MIN

    assert places(modules("tests"), too_short) == []


def test_every_test_asserts_something() -> None:
    def judges(function: Function, judging: set[str]) -> bool:
        if any(isinstance(node, ast.Assert) for node in nodes(function)):
            return True
        called = {name for _, name in calls(function)}
        return bool(called & judging) or any(
            re.search(r"(?:^|\.)(?:raises|expect|fail|_?until|wait_for\w*)$", c) for c in called
        )

    idle = []
    for name, tree in modules("tests").items():
        judging = {f.name for f in functions(tree) if judges(f, set())}
        tests = [f for f in functions(tree) if f.name.startswith("test_")]
        idle += [f"{name}:{f.lineno} {f.name}" for f in tests if not judges(f, judging)]
    assert idle == []


def loose_lines(source: str) -> Iterator[int]:
    """Lines that escape the type checker and do not say why."""
    if not re.search(r"\b(?:Any|cast)\b|type: ignore", source):
        return
    reasons = re.compile(r"#\s*type: ignore\[[\w, -]+\]\s*\S*\s*\w+|#(?!\s*type: ignore)\s*\S+")
    importing = False
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.line.lstrip().startswith(("import ", "from ")):
            importing = True
        if token.type == tokenize.NEWLINE:
            importing = False
        ignores = token.type == tokenize.COMMENT and "type: ignore" in token.string
        escapes = token.type == tokenize.NAME and token.string in ("Any", "cast") and not importing
        if (ignores or escapes) and not reasons.search(lines[token.start[0] - 1]):
            yield token.start[0]


def test_whatever_escapes_the_type_checker_says_why_on_its_line() -> None:
    sources = {name: text_of(ROOT / name) for name in modules("bot")}
    assert [f"{name}:{line}" for name, source in sources.items() for line in loose_lines(source)] == []


@pytest.mark.parametrize(
    ("source", "loose"),
    [
        ("from typing import Any\nx: Any = 1\n", [2]),
        ("x: Any = 1  # the library's own type\n", []),
        ("x = 1  # type: ignore[misc]\n", [1]),
        ("x = 1  # type: ignore[misc]  # a value of theirs\n", []),
        ('x = "Any"\n', []),
    ],
)
def test_the_search_for_such_lines_tells_them_apart(source: str, loose: list[int]) -> None:
    assert list(loose_lines(source)) == loose


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRY_HOSTS], ids=["machine paths", "registry hosts"])
def test_no_file_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    named = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        if path.name not in LOCKED and pattern.search(text):
            named.append(path.relative_to(ROOT).as_posix())
    assert named == []
