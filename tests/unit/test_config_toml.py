"""A config.toml that is no TOML is told with the place of the slip, in Chinese, with a cure, and without its values."""

from pathlib import Path

import pytest

from bot.config import load
from bot.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "place", "what", "cure"),
    [
        ("[storage]\nurl = 数据库\n", "2:7", "文字没有加引号", 'url = "…"'),
        ("[storage]\nurl ＝ 'x'\n", "2:5", "键和值之间要用半角的 =，这里是 “＝”", "url = …"),
        ("[storage]\nurl: 'x'\n", "2:4", "键和值之间要用半角的 =，这里是 “:”", "url = …"),
        ('[storage]\nurl = "x\nport = 1\n', "2:7", "引号没有成对", "补上英文的"),
        ("[storage]\nurl = 'x\nport = 1\n", "2:7", "引号没有成对", "补上英文的"),
        ("url = “x”\n", "1:7", "引号是全角的", "英文双引号"),
        ('url = "x”\n', "1:7", "引号没有成对", "补上英文的"),
        ("[storage\nurl = 1\n", "1:9", "节名后面少了 ]", "[storage]"),
        ("［storage］\nurl = 1\n", "1:1", "节名的方括号是全角的", "[storage]"),
        ("[channels.oa.总部]\n", "1:2", "节名里的中文没有加引号", '[channels.oa."总部"]'),
        ("进度 = 'x'\n", "1:1", "中文的键没有加引号", '"进度" = …'),
        ("port =\n", "1:7", "= 后面没有值", "补上值"),
        ("tls = True\n", "1:7", "真假要用小写", "tls = true"),
        ("port = 1\nport = 2\n", "2:1", "这个键写了两次", "只留一个"),
        ("[a]\nx = 1\n[a]\n", "3:1", "这一节写了两次", "并到"),
        ("storage\n", "1:8", "这里读不懂", "键 = 值"),
        ("port = 0123\n", "1:9", "这里读不懂", "键 = 值"),
    ],
)
def test_a_slip_is_told_at_its_place_with_its_cure(tmp_path: Path, text: str, place: str, what: str, cure: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        load(file, {})
    (complaint,) = refusal.value.complaints
    assert complaint.where == f"{file}:{place}"
    assert complaint.what == f"不是合法的 TOML：{what}"
    assert cure in complaint.hint


def test_what_may_be_a_secret_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[channels.oa.main]\nsecret = c9f2e1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        load(file, {})
    assert "c9f2e1" not in str(refusal.value)
