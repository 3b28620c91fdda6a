"""Which tests to play: all, or those that are named."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from bot.authoring.trials import TrialFile
from bot.errors import BotError


class NothingToTest(BotError):
    """There is no test, or none of this name."""

    code = "nothing_to_test"


def chosen(files: Sequence[TrialFile], names: Sequence[str]) -> list[TrialFile]:
    """The files with the tests that `names` mean: a journey, a file, or a test by its name or a part of it.

    NothingToTest: there is nothing by one of these names, or there are no tests at all.
    """
    if not files:
        raise NothingToTest("没有测试", hint="在 journeys/tests 里写 名字.test.yaml")
    if not names:
        return list(files)
    found: dict[str, TrialFile] = {}
    for name in names:
        matching = [one for one in (_part(file, name) for file in files) if one is not None]
        if not matching:
            raise NothingToTest(f"没有叫 “{name}” 的旅程、测试文件或测试")
        for one in matching:
            found[one.file] = _joined(found[one.file], one, files) if one.file in found else one
    return [found[file.file] for file in files if file.file in found]


def _part(file: TrialFile, name: str) -> TrialFile | None:
    stem = PurePosixPath(file.file).name.removesuffix(".test.yaml")
    if name in (file.journey, stem, file.file, PurePosixPath(file.file).name):
        return file
    trials = tuple(trial for trial in file.trials if name in trial.name)
    return replace(file, trials=trials) if trials else None


def _joined(first: TrialFile, second: TrialFile, files: Sequence[TrialFile]) -> TrialFile:
    """The tests of both, in the order of the file."""
    whole = next(file for file in files if file.file == first.file)
    wanted = {trial.name for trial in (*first.trials, *second.trials)}
    return replace(whole, trials=tuple(trial for trial in whole.trials if trial.name in wanted))
