"""Whatever stands in the files, loading ends with findings: no exception, no place outside the file."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.authoring import Loaded, as_json, as_text, load

from .casefiles import HERE, WORLD

ROOT = HERE.parents[1]
SEEDS = {
    "journeys/oa-welcome.yaml": (ROOT / "journeys" / "oa-welcome.yaml").read_text(encoding="utf-8"),
    "journeys/base.yaml": (WORLD / "journeys" / "base.yaml").read_text(encoding="utf-8"),
    "journeys/_global.yaml": (ROOT / "journeys" / "_global.yaml").read_text(encoding="utf-8"),
    "journeys/_staff.yaml": (WORLD / "journeys" / "_staff.yaml").read_text(encoding="utf-8"),
    "content/ask-name.md": (WORLD / "content" / "ask-name.md").read_text(encoding="utf-8"),
    "content/ask-consent.md": (ROOT / "content" / "ask-consent.md").read_text(encoding="utf-8"),
    **{
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in (
            "journeys/test-drive.yaml",
            "journeys/finance-nurture.yaml",
            "journeys/segments/金融高意向.yaml",
            "journeys/schema/events.yaml",
            "journeys/schema/intents.yaml",
            "journeys/_bookings.yaml",
            "content/models.yaml",
            "bot/authoring/shipped/holidays.yaml",
        )
    },
    "journeys/_fragments/remind.yaml": (
        "dsl: 1\nfragment: remind\nwith: [next]\nstates:\n  say:\n    do: [{send: hello}]\n    then: rest\n"
        '  rest:\n    wait: {for: 1d}\n    then: "{{ with.next }}"\n'
    ),
    "journeys/user.yaml": (
        "dsl: 1\njourney: user\nname: 例\nchannel: oa\nstates:\n  a:\n    use: remind\n    with: {next: z}\n"
        "  g:\n    group:\n      resume: last\n      states:\n        z:\n          end: done\n"
    ),
    "content/faq/price.md": "---\nfaq: price\nquestions: [多少钱, 价格]\nchannels: {oa: text}\n---\n看配置。\n",
}
PLACES = {"bot/authoring/shipped/holidays.yaml": "journeys/schema/holidays.yaml"}
"""Where a seed stands in the world, when that is not where it comes from."""
SNIPPETS = st.sampled_from(
    [
        "：",
        "，",
        "{",
        "}",
        "[",
        "]",
        "\t",
        "&a ",
        "*a",
        "<<: *a",
        "!!str ",
        "---\n",
        "'",
        '"',
        "# ",
        "|\n",
        ">-\n",
        "? ",
        "- ",
        "{{ ",
        " }}",
        "{% variant again %}",
        "{% if ",
        "%YAML 1.1\n",
        "\u2028",
        "\x85",
        "\u200b",
        "\U0001f697",
        "𠮷",
        "\x00",
        "then",
        "goto: ",
        "when: ",
        "9999999999d",
        "true",
        "null",
        "~",
        "\ufffe",
        "e\u0301",
        "((((((((((((",
        "[[[[[[[[[[[[",
    ]
)

NAMES = (
    *("ask", "wait", "for", "until", "forever", "do", "send", "when", "else", "then", "goto", "branch", "end", "task"),
    *(
        "split",
        "arms",
        "percent",
        "salt",
        "book",
        "webhook",
        "call",
        "body",
        "group",
        "states",
        "use",
        "with",
        "timers",
    ),
    *("at", "after", "past", "late", "timeout", "events", "event", "intent", "set", "reenter", "since", "fail", "full"),
)
"""Keys of states, put together at random."""


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, str]:
    """A file of the world and a text that it might have been spoilt into."""
    name = draw(st.sampled_from(sorted(SEEDS)))
    text = SEEDS[name]
    for _ in range(draw(st.integers(min_value=1, max_value=4))):
        start = draw(st.integers(min_value=0, max_value=len(text)))
        end = draw(st.integers(min_value=start, max_value=min(len(text), start + 60)))
        put = draw(SNIPPETS | st.text(max_size=8) | st.just(text[end : end + 40]))
        text = text[:start] + put + text[end:]
    return name, text


def _load(name: str, text: str) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(WORLD, root, dirs_exist_ok=True)
        for other in ("journeys/_fragments/remind.yaml", "journeys/user.yaml", name):
            (root / PLACES.get(other, other)).parent.mkdir(parents=True, exist_ok=True)
            if other != name:
                (root / other).write_text(SEEDS[other], encoding="utf-8")
        (root / PLACES.get(name, name)).write_bytes(text.encode("utf-8", "surrogatepass"))
        return load(root / "journeys", root / "content", templates=["进度"])


def _is_sound(loaded: Loaded) -> None:
    for one in loaded.diagnostics:
        assert one.line >= 1
        assert 1 <= one.column < one.end_column
        assert one.message
    assert (loaded.library is None) == any(one.severity == "error" for one in loaded.diagnostics)
    assert as_text(loaded.diagnostics)
    assert as_json(loaded.diagnostics)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations())
def test_spoilt_files_give_findings_and_never_an_exception(spoilt: tuple[str, str]) -> None:
    _is_sound(_load(*spoilt))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(
        ["journeys/x.yaml", "content/x.md", "journeys/_staff.yaml", "content/faq/x.md", "journeys/segments/x.yaml"]
    ),
    st.text(max_size=300),
)
def test_arbitrary_text_gives_findings_and_never_an_exception(name: str, text: str) -> None:
    loaded = _load(name, text)
    _is_sound(loaded)
    assert loaded.library is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.sampled_from(["x", "1h", "'a'", '"{{ customer.nick }}"', "need", "done", "true"]),
        lambda inner: (
            st.lists(inner, max_size=4).map(lambda parts: f"[{', '.join(parts)}]")
            | st.dictionaries(
                st.sampled_from(NAMES),
                inner,
                max_size=4,
            ).map(lambda table: "{" + ", ".join(f"{key}: {value}" for key, value in table.items()) + "}")
        ),
        max_leaves=25,
    )
)
def test_any_shape_of_a_state_gives_findings_and_never_an_exception(state: str) -> None:
    journey = f"dsl: 1\njourney: x\nname: 例\nchannel: oa\nstates:\n  a: {state}\n  done:\n    end: done\n"
    _is_sound(_load("journeys/x.yaml", journey))
