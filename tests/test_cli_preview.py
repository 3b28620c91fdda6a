"""`zhitu preview`: a content as a customer would see it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bot.cli import main
from tests.authoring.casefiles import WORLD

ROOT = Path(__file__).parents[1]
GREETING = """---
content: greeting
channels: {oa: text, kf: text}
vars: [customer.nick]
variants: [normal, again]
---
您好，{{ customer.nick | default('朋友') }}
{% channel kf %}
客服为您服务
{% variant again %}
{% for x in ['甲', '乙'] %}{{ x }}；{% endfor %}
"""
PRICES = """dsl: 1
models:
  星澜 S5:
    trims: {长续航版: []}
    prices:
      model: {amount: 159800, basis: 官方指导价起, as_of: 2026-10-01, valid_to: 2026-12-01}
      长续航版: {amount: 183800, basis: 官方指导价, as_of: 2026-10-01}
"""
PRICED = """---
content: greeting
channels: {oa: text}
vars: [slots.model]
---
{% if has(car.price(slots.model)) %}{{ car.basis(slots.model) }} {{ car.price(slots.model) | money }}\
{% else %}价格请问顾问{% endif %}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a small world and one journey that says `greeting`, asks for a car and for a time."""
    shutil.copytree(WORLD, tmp_path, dirs_exist_ok=True)
    config = (ROOT / "config.toml").read_text(encoding="utf-8")
    write(tmp_path, "config.toml", config)
    base = (WORLD / "journeys" / "base.yaml").read_text(encoding="utf-8")
    write(tmp_path, "journeys/base.yaml", base.replace("template:进度", "task"))
    write(tmp_path, "content/greeting.md", GREETING)
    write(
        tmp_path,
        "journeys/greet.yaml",
        "dsl: 1\njourney: greet\nname: 问候\nchannel: oa\nenter: [{keyword: [问候一下]}]\n"
        "vars: {mood: {type: text}}\nslots:\n  model: {type: entity, of: 车型, ask: ask-which}\n"
        "  time: {type: time, ask: ask-time, options_from: 'dealer.open_slots(today)'}\n"
        "states:\n  a: {do: [{send: greeting}], then: b}\n"
        "  b: {ask: model, timeout: {after: 1d, goto: z}, give_up: {goto: z}, then: c}\n"
        "  c: {ask: time, timeout: {after: 1d, goto: z}, give_up: {goto: z}, then: z}\n  z: {end: done}\n",
    )
    write(tmp_path, "content/ask-time.md", "---\ncontent: ask-time\nchannels: {oa: menu}\n---\n几点？\n")
    write(tmp_path, "content/ask-which.md", "---\ncontent: ask-which\nchannels: {oa: text}\n---\n哪一款？\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(place: Path, name: str, text: str) -> None:
    (place / name).write_text(text, encoding="utf-8")


def preview(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as ended:
        main(["preview", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    _, out, _ = preview(capsys, *arguments, "--json")
    shown = json.loads(out)["previews"]
    assert isinstance(shown, list)
    return shown


def test_every_wording_of_every_channel_is_shown_with_its_length(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = [(one["channel"], one["variant"], one["text"], one["bytes"]) for one in rows(capsys, "greeting")]
    assert shown == [
        ("oa", "normal", "您好，朋友", 15),
        ("oa", "again", "甲；乙；", 12),
        ("kf", "normal", "客服为您服务", 18),
        ("kf", "again", "甲；乙；", 12),
    ]


def test_names_without_a_value_are_told_and_are_no_finding(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = preview(capsys, "content/greeting.md", "--channel", "oa", "--variant", "normal")
    assert code == 0
    assert out == "── greeting · oa text，15 / 2048 字节\n您好，朋友\n  没有值：customer.nick\n"


def test_the_customer_comes_from_a_file_and_brings_no_link_along(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place, "wang.yaml", 'customer: {nick: "<a href=x>王</a>"}\n')
    (one,) = rows(capsys, "greeting", "--customer", "wang.yaml", "--channel", "oa", "--variant", "normal")
    assert (one["text"], one["nulls"]) == ("您好，＜a href=x>王＜/a>", [])


def test_a_question_shows_the_lines_to_tap(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = rows(capsys, "ask-need")
    assert (one["form"], one["lines"], one["bytes_max"]) == ("menu", ["买车", "养车"], 2048)


def test_templates_that_stand_in_are_shown_with_their_fields(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = "variants: [normal, again]\ntemplates: {留资进度: {thing1: \"{{ customer.nick | default('您') }}\"}}\n"
    write(place, "content/greeting.md", GREETING.replace("variants: [normal, again]\n", fields))
    (one,) = rows(capsys, "greeting", "--channel", "kf", "--variant", "normal")
    assert one["templates"] == {"留资进度": {"thing1": "您"}}


def test_answers_that_only_a_database_knows_are_told_to_be_missing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = rows(capsys, "ask-time")
    assert (one["lines"], one["fault"], one["note"]) == ([], None, "选项要看真实的空闲时段，预览里没有")


def test_a_journey_that_never_says_it_is_told_with_those_that_do(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before: a menu without its lines, and no word why."""
    write(place, "wang.yaml", "journey: greet\n")
    (one,) = rows(capsys, "ask-need", "--customer", "wang.yaml")
    told = "旅程 greet 没有用到 ask-need，所以没有它的选项和值；用到它的旅程：base"
    assert (one["lines"], one["note"], one["fault"]) == ([], told, None)
    write(place, "wang.yaml", "journey: base\n")
    (one,) = rows(capsys, "ask-need", "--customer", "wang.yaml")
    assert (one["lines"], one["note"]) == (["买车", "养车"], None)


def test_the_customer_file_of_the_guide_shows_the_lines_of_the_content_that_it_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (ROOT / "journeys" / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"`zhitu preview (\S+) --customer 客户.yaml`", guide)
    (sample,) = re.findall(r"```yaml\n(# 客户.yaml.*?)```", guide, flags=re.DOTALL)
    write(tmp_path, "客户.yaml", sample)
    monkeypatch.chdir(ROOT)
    shown = rows(capsys, command, "--customer", str(tmp_path / "客户.yaml"))
    assert [(one["lines"], one["note"]) for one in shown] == [(["工作日", "周末", "都可以"], None)] * 2


@pytest.mark.parametrize(
    ("at", "expected"), [("2026-12-01 23:59", "官方指导价起 15.98万"), ("2026-12-02 00:00", "价格请问顾问")]
)
def test_a_price_is_named_to_the_end_of_its_last_day(
    place: Path, capsys: pytest.CaptureFixture[str], at: str, expected: str
) -> None:
    write(place, "content/models.yaml", PRICES)
    write(place, "content/greeting.md", PRICED)
    write(place, "wang.yaml", f"slots: {{model: 星澜 S5}}\nat: {at}\n")
    (one,) = rows(capsys, "greeting", "--customer", "wang.yaml")
    assert one["text"] == expected


def test_what_the_checker_says_of_the_content_is_a_finding(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, "content/greeting.md", GREETING.replace("客服为您服务", "全网最低"))
    code, out, _ = preview(capsys, "greeting")
    assert code == 1
    assert "warning[J311]" in out


def test_a_text_that_this_customer_makes_too_long_is_a_finding(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, "wang.yaml", f"customer: {{nick: {'王' * 700}}}\n")
    code, out, _ = preview(capsys, "greeting", "--customer", "wang.yaml", "--channel", "oa", "--variant", "normal")
    assert code == 1
    assert "问题：超过上限 2048 字节" in out


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("customer: {nikc: 王}\n", "wang.yaml:1:12", "customer.nikc 不在 schema/customer.yaml，是否指 “nick”？"),
        ("slot: {}\n", "wang.yaml:1:1", "是否指 “slots”？"),
        ("journey: gret\n", "wang.yaml:1:10", "旅程 gret 不存在，是否指 “greet”？"),
        ("slots: {modle: S5}\n", "wang.yaml:1:9", "slots.modle 未声明，是否指 “model”？"),
        ("at: 明天\n", "wang.yaml:1:5", "需要时刻"),
        ("customer: [\n", "wang.yaml:", "J013"),
        ("", "wang.yaml", "文件是空的"),
    ],
)
def test_a_bad_customer_file_is_told_with_its_place_and_exits_with_two(
    place: Path, capsys: pytest.CaptureFixture[str], text: str, where: str, why: str
) -> None:
    write(place, "wang.yaml", text)
    code, out, err = preview(capsys, "greeting", "--customer", "wang.yaml")
    assert (code, out) == (2, "")
    assert where in err
    assert why in err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("greting",), "没有内容 greting，是否指 “greeting”？"),
        (("greeting", "--channel", "sms"), "内容 greeting 没有渠道 sms 的版本"),
        (("greeting", "--variant", "resume"), "内容 greeting 没有变体 resume"),
    ],
)
def test_what_there_is_not_exits_with_two_and_says_what_there_is(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str
) -> None:
    code, _, err = preview(capsys, *arguments)
    assert code == 2
    assert why in err
    assert "有：" in err


def test_files_with_errors_are_told_and_nothing_is_shown(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, "content/greeting.md", GREETING.replace("{% variant again %}", "{% variant again"))
    code, out, _ = preview(capsys, "welcome")
    assert code == 1
    assert "content/greeting.md" in out
    assert "──" not in out
