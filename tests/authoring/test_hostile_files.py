"""Files that are large, deep, wide or strange: findings in the end, in seconds, within 200 MB."""

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bot.authoring import load
from bot.authoring.source import FILE_BYTES_MAX

from .casefiles import WORLD, Check

MEGABYTES_MAX = 200
"""What a whole process may need that checks any of these files."""
PLANES = [
    "\u4e00\u9fff",
    "\u0600\u06ff",
    "\u0e01\u0e5b",
    "\U00010000\U0001f697",
    "\U00020000\U0002a6df",
    "\U00030000",
    "\U000e0100",
    "\U000f0000",
    "\U0010fffd",
    "\ue000\uf8ff",
    "\u200b\u200d\u2060",
    "e\u0301\u0302\u0303" * 50,
]
HEAD = "dsl: 1\njourney: case\nname: 例\nchannel: oa\n"


def _hostile() -> dict[str, str]:
    full = FILE_BYTES_MAX - 2_000
    bomb = "\n".join(
        [f"a0: &a0 [{'x, ' * 9}x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20))]
    )
    states = "".join(f"  s{n}:\n    wait: {{for: 1d}}\n    then: s{n + 1}\n" for n in range(2_500))
    keywords = ", ".join(f"词{n}" for n in range(15_000))
    events = "".join(f"      - {{event: message, keyword: k{n}, goto: s{n % 200}}}\n" for n in range(2_000))
    return {
        "deep.yaml": "[" * full,
        "wide.yaml": "labels: [" + "a," * (full // 2) + "]",
        "bomb.yaml": bomb,
        "one_line.yaml": "name: " + "长" * (full // 3),
        "colons.yaml": HEAD + "states：\n" + "  a： b\n" * (full // 12),
        "quotes.yaml": "name: " + '"' * full,
        "states.yaml": HEAD.replace("case", "states") + "states:\n" + states,
        "keywords.yaml": f"{HEAD}enter:\n  - {{keyword: [{keywords}], match: contains}}\nstates:\n  a:\n    end: z\n",
        "events.yaml": f"{HEAD}states:\n  a:\n    wait: forever\n    events:\n{events}",
        "braces.yaml": f'{HEAD}about: "' + "{{ x }}" * (full // 8) + '"\nstates:\n  a:\n    end: z\n',
        "when.yaml": f"{HEAD}audience: " + "(" * 90_000 + "\nstates:\n  a:\n    end: z\n",
        "until.yaml": f"{HEAD}states:\n  a:\n    wait: {{until: {'tomorrow ' * 40_000}}}\n    then: a\n",
        "cron.yaml": f'{HEAD}enter:\n  - schedule: "{"1," * 100_000}1 * * * *"\nstates:\n  a:\n    end: z\n',
    }


@pytest.mark.parametrize("plane", PLANES)
def test_every_plane_of_unicode_may_stand_in_a_text_and_hardly_any_in_a_name(check: Check, plane: str) -> None:
    state = f"  状{plane}态:\n    do: [{{note: 备{plane}注}}]\n    then: z\n"
    text = f"{HEAD}about: 说{plane}明\nstates:\n{state}  z:\n    end: done\n"
    loaded = check(
        {
            "journeys/case.yaml": text,
            "content/hello.md": f"---\ncontent: hello\nchannels: {{oa: text}}\n---\n您{plane}好\n",
        }
    )
    for one in loaded.diagnostics:
        assert one.rule in {"J008", "J013", "J103", "J101", "J302", "J017"}
        assert one.line >= 1


def test_a_file_of_ten_megabytes_is_not_read_and_hides_nothing(check: Check, tmp_path: Path) -> None:
    check({"journeys/other.yaml": HEAD.replace("case", "other") + "states:\n  a:\n    then: zz\n"})
    for name in ("journeys/big.yaml", "journeys/segments/big.yaml", "content/big.md", "content/models.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"a: b\n" * 2_000_000)
    found = {(one.file, one.rule) for one in load(Path("journeys"), Path("content")).diagnostics}
    assert {
        ("journeys/big.yaml", "J015"),
        ("journeys/segments/big.yaml", "J015"),
        ("content/big.md", "J015"),
        ("content/models.yaml", "J015"),
        ("journeys/other.yaml", "J103"),
    } <= found


MEASURE = """
import json, sys
from pathlib import Path
from bot.authoring import as_text, load
loaded = load(Path(sys.argv[1]) / "journeys", Path(sys.argv[1]) / "content")
as_text(loaded.diagnostics)
# Not ru_maxrss: that begins at the peak of the process that started this one.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps({"megabytes": int(peak.split()[1]) / 1024,
                  "files": sorted({Path(one.file).name for one in loaded.diagnostics})}))
"""


def test_checking_all_of_them_together_stays_within_its_memory(tmp_path: Path) -> None:
    shutil.copytree(WORLD, tmp_path, dirs_exist_ok=True)
    hostile = _hostile()
    for name, text in hostile.items():
        (tmp_path / "journeys" / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    told = json.loads(done.stdout)
    assert told["megabytes"] < MEGABYTES_MAX
    assert set(hostile) <= set(told["files"])
