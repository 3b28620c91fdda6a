"""The command line of the harnesses, which says in Chinese what is wrong with it, where, and how to mend it."""

import argparse
import re
import sys
from typing import NoReturn

CANNOT_RUN = 2
_PUT: tuple[tuple[str, str], ...] = (
    (r"argument (\S+): invalid choice: '(.*)' \(choose from (.+)\)", r"\1: “\2” 不在可选的值里：\3"),
    (r"argument (\S+): invalid int value: '(.*)'", r"\1: 要写整数，得到 “\2”"),
    (r"argument (\S+): invalid float value: '(.*)'", r"\1: 要写数，得到 “\2”"),
    (r"argument (\S+): expected one argument", r"\1: 后面要写值"),
    (r"argument (\S+): ignored explicit argument '(.*)'", r"\1: 后面不写值，得到 “\2”"),
    (r"unrecognized arguments: (.+)", r"没有选项或多余的参数：\1"),
    (r"the following arguments are required: (.+)", r"缺少 \1"),
    (r"ambiguous option: (\S+) could match (.+)", r"\1: 不知道是哪一个：\2"),
)
"""What the parser says, and the same in Chinese. What stands in no row is shown as it came."""


class Parser(argparse.ArgumentParser):
    """A parser of options; a wrong command line ends the process with exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong on standard error, and leave."""
        sys.stderr.write(f"错误：{in_chinese(message)}\n  修复  {self.prog} --help 说明用法\n")
        sys.exit(CANNOT_RUN)


def in_chinese(message: str) -> str:
    """`message` of the parser in Chinese; one that is not known here stays as it is."""
    for pattern, put in _PUT:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return found.expand(put)
    return message
