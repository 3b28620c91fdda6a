"""What comes with a message instead of words: a place, a picture, a file, for the questions that ask for one."""

from pathlib import Path

import pytest

from .stage import Played, build, play

JOURNEY = """
dsl: 1
journey: round
name: 在哪里
channel: oa
enter:
  - event: oa.follow
slots:
  place: {type: location, ask: greet}
  photo: {type: image, ask: nudge}
  paper: {type: file, ask: thanks}
states:
  place:
    ask: place
    timeout: {after: 2h, goto: bye}
    give_up: {goto: bye}
    then: photo
  photo:
    ask: photo
    timeout: {after: 2h, goto: bye}
    give_up: {goto: bye}
    then: paper
  paper:
    ask: paper
    timeout: {after: 2h, goto: bye}
    give_up: {goto: bye}
    then: near
  near:
    branch:
      - when: slots.place.lat > 31 and slots.place.lng < 122
        goto: done
      - else: bye
  bye:
    end: gone
  done:
    end: success
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("enclosed")
    build(folder)
    (folder / "journeys" / "round.yaml").write_text(JOURNEY, encoding="utf-8")
    for name in ("ask-want", "ask-phone"):
        (folder / "content" / f"{name}.md").unlink()
    return folder


def of_lines(*lines: str) -> dict[str, str]:
    head = "journey: round\ntests:\n  - name: 一个测试\n    steps:\n      - event: oa.follow\n"
    return {"round.test.yaml": head + "".join(f"      - {line}\n" for line in lines)}


def played(world: Path, *lines: str) -> Played:
    return play(world, of_lines(*lines))


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("customer: {kind: location, lat: 31.2, lng: 121.4, name: 静安寺}", "静安寺"),
        ("customer: {kind: location, lat: 31.2, lng: 121.4}", ""),
        # Before: numbers of an event came as text, and the bot said that it could not look at that.
        ("event: {type: message, kind: location, lat: 31.2, lng: 121.4, name: 静安寺}", "静安寺"),
    ],
)
def test_a_place_answers_the_question_for_one_with_its_numbers(world: Path, said: str, name: str) -> None:
    wanted = f"expect: {{state: photo, slot: {{place: {{lat: 31.2, lng: 121.4, name: '{name}'}}}}}}"
    assert played(world, said, wanted).failures == []


def test_conditions_read_the_degrees_and_a_picture_and_a_file_answer_too(world: Path) -> None:
    place = "customer: {kind: location, lat: 31, lng: 121.4}"
    assert played(world, place, "customer: {kind: image}", "expect: {state: paper}").failures == []
    rest = ("customer: {kind: image}", "customer: {kind: file}")
    assert played(world, place, *rest, "expect: {ended: gone}").failures == []
    place = "customer: {kind: location, lat: 31.5, lng: 121.4}"
    assert played(world, place, *rest, "expect: {ended: success}").failures == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("customer: {kind: location}", "缺少 “lat”"),
        ("customer: {kind: location, lat: 31.2}", "缺少 “lng”"),
        ("customer: {kind: location, lat: 121.4, lng: 31.2}", "需要 -90 到 90 的度数"),
        ("customer: {kind: location, lat: 北, lng: 31.2}", "需要一个数"),
        ("customer: {kind: location, lat: 31.2, lng: 121.4, nmae: 静安寺}", "未知的键 “nmae”，是否指 “name”？"),
        ("customer: {kind: image, lat: 31.2}", "未知的键 “lat”"),
        ("event: {type: message, kind: location, lat: 北, lng: 1}", "需要数字，得到 “北”"),
    ],
)
def test_a_place_that_is_none_is_told_where_it_stands(world: Path, said: str, told: str) -> None:
    found = played(world, said).diagnostics[0]
    assert told in found.message
    assert found.line == 6
