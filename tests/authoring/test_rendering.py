"""Reports for people and for programs."""

import json

from rich.cells import cell_len

from bot.authoring import Diagnostic, as_json, as_text


def _diagnostic(excerpt: str, marked: str, *, message: str = "不对") -> Diagnostic:
    column = excerpt.index(marked) + 1
    return Diagnostic(
        rule="J103",
        severity="error",
        file="journeys/a.yaml",
        line=7,
        column=column,
        end_column=column + len(marked),
        message=message,
        help="改对",
        excerpt=excerpt,
    )


def test_the_mark_stands_under_chinese_that_is_two_cells_wide() -> None:
    text = as_text([_diagnostic("    说: 你好世界 # 注", "世界")])
    source, mark = text.splitlines()[1:3]
    before = source.split("│ ")[1].split("世界")[0]
    assert cell_len(mark.split("│ ")[1]) == cell_len(before) + cell_len("世界")
    assert mark.count("━") == 4


def test_a_long_line_is_cut_around_the_mark() -> None:
    text = as_text([_diagnostic("好" * 300 + "坏" + "好" * 300, "坏")])
    source, mark = text.splitlines()[1:3]
    assert cell_len(source) < 130
    assert "坏" in source
    assert cell_len(mark.split("│ ")[1]) == cell_len(source.split("│ ")[1].split("坏")[0]) + 2


def test_control_characters_of_a_file_never_reach_the_terminal() -> None:
    text = as_text([_diagnostic("a\x1b[31mb", "b", message="坏\x1b[31m字\n符")])
    assert "\x1b" not in text


def test_colours_are_only_for_terminals() -> None:
    one = _diagnostic("then: zz", "zz")
    assert "\x1b" not in as_text([one])
    assert "\x1b" in as_text([one], colour=True)


def test_the_frame_is_chinese_and_can_be_english() -> None:
    one = _diagnostic("then: zz", "zz")
    assert "修复  改对" in as_text([one])
    assert as_text([one]).endswith("1 个错误（1 个文件）\n")
    assert "help  改对" in as_text([one], "en")
    assert as_text([one], "en").endswith("1 error(s) (1 file(s))\n")
    assert as_text([]) == "没有发现问题\n"


def test_json_is_a_list_of_objects_with_the_agreed_keys() -> None:
    (row,) = json.loads(as_json([_diagnostic("then: zz", "zz")]))
    assert {"rule", "severity", "file", "line", "column", "message", "help"} <= set(row)
    assert (row["rule"], row["line"], row["column"]) == ("J103", 7, 7)
    assert json.loads(as_json([])) == []
