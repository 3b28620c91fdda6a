"""What is wrong with a command line, as somebody who reads Chinese is told it. The parser's own words are English."""

import re

import typer

from bot.errors import Complaint

_PUT: tuple[tuple[str, str], ...] = (
    (r"No such command '(.+?)'\.?.*", r"没有命令 \1"),
    (r"No such option:? '?(--?[\w-]+)'?\.?.*", r"没有选项 \1"),
    (r"Missing (?:option|argument|parameter)s? '?(.+?)'?\.", r"缺少 \1"),
    (r"Missing command\.", r"缺少子命令"),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.+)\)\.?", r"多余的参数：\1"),
    (r"Option '?(--?[\w-]+)'? requires (?:an argument|\d+ arguments)\.", r"选项 \1 后面要写值"),
    (r"Option '?(--?[\w-]+)'? does not take a value\.", r"选项 \1 后面不写值"),
    (r"[Ff]ile '(.+)' does not exist\.", r"文件 “\1” 不存在"),
    (r"[Dd]ir(?:ectory)? '(.+)' does not exist\.", r"目录 “\1” 不存在"),
    (r"[Pp]ath '(.+)' does not exist\.", r"“\1” 不存在"),
    (r"(?:[Ff]ile|[Pp]ath) '(.+)' is a directory\.", r"“\1” 是目录，这里要文件"),
    (r"(?:[Dd]ir(?:ectory)?|[Pp]ath) '(.+)' is a file\.", r"“\1” 是文件，这里要目录"),
    (r"(?:.+ )?'(.+)' is not readable\.", r"“\1” 读不了"),
    (r"(?:Value error, )?'(.+)' is not one of (.+)\.", r"“\1” 不在可选的值里：\2"),
    (r"Input should be greater than or equal to (\S+?)\.?", r"不能小于 \1"),
    (r"Input should be less than or equal to (\S+?)\.?", r"不能大于 \1"),
    (r"Input should be a valid integer.*", r"要写整数"),
    (r"Input should be a valid number.*", r"要写数"),
)
"""What the parser says, and the same in Chinese. What stands in no row is shown as it came."""


def complaint_of(fault: typer.TyperException) -> Complaint:
    """What is wrong, where (the option or argument), and how the command is meant to be used."""
    message = str(getattr(fault, "message", "") or fault)
    context: typer.Context | None = getattr(fault, "ctx", None)
    name = context.command_path if context is not None else "zhitu"
    missing = type(fault).__name__ == "MissingParameter"
    return Complaint(
        where="" if missing else _place(fault),
        what=f"缺少 {_place(fault)}" if missing else in_chinese(message),
        hint=f"{name} --help 说明用法",
    )


def in_chinese(message: str) -> str:
    """`message` of the parser in Chinese; one that is not known here stays as it is."""
    plain = " ".join(message.split())
    for pattern, put in _PUT:
        found = re.fullmatch(pattern, plain)
        if found:
            return found.expand(put)
    return plain


def _place(fault: typer.TyperException) -> str:
    """The option or the argument that is meant, as the command line names it."""
    hint = getattr(fault, "param_hint", None)
    if hint:
        return str(hint) if isinstance(hint, str) else " / ".join(hint)
    parameter = getattr(fault, "param", None)
    if parameter is None:
        return ""
    options = [name for name in parameter.opts if name.startswith("-")]
    return " / ".join(options) or str(parameter.metavar or parameter.name)
