"""The checker judges logs that were made by hand: each column stays 0 on a clean one and fires on a doctored one."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.survival.checker.judging import COLUMNS, judge
from tests.survival.checker.reading import read
from tests.survival.scenes import Scene, clean, columns, micros, openid

CHECKER = Path(__file__).parent / "checker"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_run_in_which_everything_went_well_has_no_column_that_is_not_zero(scene: Scene) -> None:
    clean(scene)
    assert columns(scene.judged()) == {}


def not_consumed(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.got(3, "t:3.1.1", 11)
    scene.inbox.remove((openid(3), 1))


def never_answered(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)


def unknown_without_a_kill(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.row(3, "echo", "unknown", 10.2)


def unknown_long_after_a_kill(scene: Scene) -> None:
    scene.died(10.3, sending=("another",))
    unknown_without_a_kill(scene)


def refused_by_the_platform(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.row(3, "echo", "refused", 10.2, reason="40003")


def answered_twice(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.got(3, "t:3.1.1", 11)
    scene.got(3, "t:3.1.1", 12)


def reminded_twice_though_a_kill_hit_it(scene: Scene) -> None:
    scene.wrote(3, "w:3.1", 10)
    scene.got(3, "w:3.1.1", 11)
    scene.got(3, "w:3.1.2", 13)
    scene.row(3, "later-then", "sent", 12.5, effect_id="R", repeats=1)
    scene.died(13.5, sending=("R",))
    scene.got(3, "w:3.1.2", 20)


def repeated_twice_after_one_kill(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.row(3, "echo", "sent", 10.5, effect_id="R", repeats=1)
    scene.died(11.5, sending=("R",))
    for at in (11, 20, 21):
        scene.got(3, "t:3.1.1", at)


def stored_twice(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.got(3, "t:3.1.1", 11)
    scene.inbox.append((openid(3), 1))


def in_the_wrong_order(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.wrote(3, "t:3.2", 11)
    scene.got(3, "t:3.2.1", 12)
    scene.got(3, "t:3.1.1", 13)


def before_its_time(scene: Scene) -> None:
    scene.wrote(3, "p:3.1", 10)
    scene.got(3, "p:3.1.1", 10.5)
    scene.got(3, "p:3.1.2", 11.5)


def before_its_question(scene: Scene) -> None:
    scene.wrote(3, "q:3.1", 10, acked=4.0)
    scene.wrote(3, "a:3.2", 10.5)
    scene.got(3, "a:3.2.1", 12)
    scene.got(3, "q:3.1.1", 16)


def far_too_late(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.got(3, "t:3.1.1", 100)


def something_left_ready(scene: Scene) -> None:
    scene.row(3, "echo", "ready", 10)


def a_parked_lane(scene: Scene) -> None:
    scene.statements.append("INSERT INTO parked VALUES (3)")


def a_timer_that_never_fired(scene: Scene) -> None:
    scene.statements.append(f"INSERT INTO timers VALUES (3, {micros(10)})")


def promised_before_the_opt_out_and_said_after(scene: Scene) -> None:
    scene.wrote(3, "p:3.1", 10)
    scene.got(3, "p:3.1.1", 10.5)
    scene.wrote(3, "退订", 11)
    scene.got(3, "p:3.1.2", 13)


def a_third_offer(scene: Scene) -> None:
    for number in (1, 2, 3):
        scene.wrote(3, f"m:3.{number}", 10 + number)
        scene.got(3, f"m:3.{number}.1", 10.5 + number)


def the_bot_talks_over_the_advisor(scene: Scene) -> None:
    scene.got(2, "t:2.3.1", 4.5)


def over_the_window(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.got(3, "t:3.1.1", 11)
    scene.got(3, "t:3.1.1", 12, verdict="45047 out of quota")


def nobody_asked_for_it(scene: Scene) -> None:
    scene.got(3, "t:3.1.1", 10)


DOCTORED: list[tuple[Callable[[Scene], None], dict[str, int]]] = [
    (not_consumed, {"lost in": 1}),
    (never_answered, {"lost out": 1}),
    (unknown_without_a_kill, {"lost out": 1, "unexplained": 1}),
    (unknown_long_after_a_kill, {"lost out": 1, "unexplained": 1}),
    (refused_by_the_platform, {"lost out": 1}),
    (answered_twice, {"duplicate": 1}),
    (reminded_twice_though_a_kill_hit_it, {"duplicate": 1}),
    (repeated_twice_after_one_kill, {"duplicate": 1}),
    (stored_twice, {"duplicate": 1}),
    (in_the_wrong_order, {"out of order": 1}),
    (before_its_time, {"early": 1}),
    (before_its_question, {"early": 1}),
    (far_too_late, {"late": 1}),
    (something_left_ready, {"stuck": 1}),
    (a_parked_lane, {"stuck": 1}),
    (a_timer_that_never_fired, {"stuck": 1}),
    (promised_before_the_opt_out_and_said_after, {"forbidden": 1}),
    (a_third_offer, {"forbidden": 1}),
    (the_bot_talks_over_the_advisor, {"forbidden": 1}),
    (over_the_window, {"forbidden": 1}),
    (nobody_asked_for_it, {"forbidden": 1}),
]


@pytest.mark.parametrize(("doctor", "expected"), DOCTORED, ids=[doctor.__name__ for doctor, _ in DOCTORED])
def test_a_doctored_run_fires_its_column_and_no_other(
    scene: Scene, doctor: Callable[[Scene], None], expected: dict[str, int]
) -> None:
    clean(scene)
    doctor(scene)
    assert columns(scene.judged()) == expected


def test_every_column_is_fired_by_some_doctored_run() -> None:
    assert {name for _, expected in DOCTORED for name in expected} == set(COLUMNS)


def excused_by_a_kill(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.row(3, "echo", "unknown", 10.2, effect_id="R")
    scene.died(10.5, sending=("R",))


def given_up_since_she_wrote_again(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.row(3, "echo", "suppressed", 10.2, effect_id="R", reason="repeat_not_wanted", repeats=1)
    scene.died(10.5, sending=("R",))


def repeated_after_a_kill(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.got(3, "t:3.1.1", 11)
    scene.row(3, "echo", "sent", 10.5, effect_id="R", repeats=1)
    scene.died(11.5, sending=("R",))
    scene.got(3, "t:3.1.1", 20)


def repeated_after_a_lost_reply(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.got(3, "t:3.1.1", 11, reply_sent=False)
    scene.got(3, "t:3.1.1", 17)


def turned_away_and_never_stored(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10, acked=None)


def silenced_by_her_opt_out(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.row(3, "echo", "suppressed", 10.2, reason="opted_out", settled_at=micros(11))
    scene.wrote(3, "退订", 10.5)


def late_for_an_outage(scene: Scene) -> None:
    scene.wrote(3, "t:3.1", 10)
    scene.died(10.2, until=100)
    scene.got(3, "t:3.1.1", 101)


@pytest.mark.parametrize(
    "happens",
    [
        *(excused_by_a_kill, given_up_since_she_wrote_again, repeated_after_a_kill, repeated_after_a_lost_reply),
        *(turned_away_and_never_stored, silenced_by_her_opt_out, late_for_an_outage),
    ],
    ids=lambda happens: happens.__name__,
)
def test_what_an_injected_fault_explains_is_excused(scene: Scene, happens: Callable[[Scene], None]) -> None:
    clean(scene)
    happens(scene)
    assert columns(scene.judged()) == {}


def test_one_row_excuses_one_message_and_no_second(scene: Scene) -> None:
    clean(scene)
    excused_by_a_kill(scene)
    scene.wrote(3, "t:3.2", 10.1)
    assert columns(scene.judged()) == {"lost out": 1}


def test_a_database_that_does_not_open_has_lost_everything(scene: Scene) -> None:
    clean(scene)
    scene.judged()
    (scene.directory / "zhitu.db").write_bytes(b"not a database at all" * 500)
    verdict = judge(read(scene.directory))
    assert verdict.columns["lost in"] == 6


def imports() -> Iterator[str]:
    for path in CHECKER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or ""


def test_the_checker_imports_only_itself_and_the_standard_library() -> None:
    foreign = {
        name
        for name in imports()
        if not name.startswith("tests.survival.checker") and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert foreign == set()


def test_the_checker_runs_where_the_product_cannot_be_imported(scene: Scene) -> None:
    clean(scene)
    scene.judged()
    code = (
        "import sys; sys.modules['bot'] = None; sys.path.insert(0, sys.argv[1]);"
        "from tests.survival.checker.__main__ import main; sys.exit(main([sys.argv[2]]))"
    )
    root = Path(__file__).parents[2]
    # -I: neither this folder nor anything that is installed beside the standard library's own.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(root), str(scene.directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "lost in" in done.stdout
