"""A wrong command line of a harness is told in Chinese, with the cure."""

import pytest

from tests.bench.__main__ import arguments
from tests.survival.__main__ import arguments as survival_arguments


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "错误：缺少 name"),
        (["evnt"], "错误：name: “evnt” 不在可选的值里：'event', 'dispatch', 'reject', 'step', 'all'"),
        (["step", "--rounds", "many"], "错误：--rounds: 要写整数，得到 “many”"),
        (["step", "--seconds", "many"], "错误：--seconds: 要写数，得到 “many”"),
        (["step", "--rounds"], "错误：--rounds: 后面要写值"),
        (["step", "--json=1"], "错误：--json: 后面不写值，得到 “1”"),
        (["step", "--fast"], "错误：没有选项或多余的参数：--fast"),
        (["step", "--se", "1"], "错误：--se: 不知道是哪一个：--seconds, --sends"),
    ],
)
def test_a_wrong_option_is_told_with_its_place_and_the_way_to_the_usage(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(given)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines() == [told, "  修复  zhitu bench NAME --help 说明用法"]


def test_the_harness_of_survival_tells_it_alike(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        survival_arguments(["--kills", "x"])
    assert capsys.readouterr().err.startswith("错误：--kills: 要写整数，得到 “x”\n")
