"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

ConfigFile: TypeAlias = Annotated[
    Path,
    typer.Option("--config", metavar="FILE", exists=True, dir_okay=False, help="配置文件 · the configuration"),
]
Journeys: TypeAlias = Annotated[
    Path,
    typer.Option("--journeys", metavar="DIR", exists=True, file_okay=False, help="旅程目录 · where the journeys are"),
]
Content: TypeAlias = Annotated[
    Path,
    typer.Option("--content", metavar="DIR", exists=True, file_okay=False, help="话术目录 · where the contents are"),
]
Language: TypeAlias = Annotated[Literal["zh", "en"], typer.Option("--lang", help="报告的语言 · language of the report")]
LogForm: TypeAlias = Annotated[
    Literal["auto", "json", "console"],
    typer.Option("--log", help="日志格式 · form of the log; auto: console in a terminal, else json"),
]

CONFIG_FILE = Path("config.toml")
JOURNEYS = Path("journeys")
CONTENT = Path("content")
