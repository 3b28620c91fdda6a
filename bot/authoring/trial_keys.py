"""The keys of test files, place by place. Source: journey-language.md 5.1."""

from bot.authoring.vocabulary import ALL_KEYS, Keys


def _keys(place: str, built: str = "", *, required: str = "", unbuilt: str = "") -> Keys:
    return Keys(
        place=place,
        built=frozenset(built.split()) | frozenset(required.split()),
        required=tuple(required.split()),
        unbuilt=frozenset(unbuilt.split()),
    )


FILE = _keys("测试文件", "dsl defaults rules", required="journey tests")
DEFAULTS = _keys("defaults", "start customer mocks config")
CONFIG = _keys("config", "templates")
TRIAL = _keys("tests 的一项", "given steps mocks for_each_state crash repeat expect", required="name")
ANSWER = _keys("mocks 的回答", "ok fail timeout times delay_s")
GIVEN = _keys("given", "state vars slots customer tags score points consent arms at window")
GIVEN_WINDOW = _keys("given 的 window", "ago left", required="kind")
CRASH = _keys("crash", required="at")
STEP = _keys("steps 的一项", "event customer tap wait at advisor effect expect")
EVENT_TYPE = "type"
SAY = _keys("customer", required="kind")
SAY_PLACE = _keys("customer", "name", required="kind lat lng")
"""Of a message that says where she is."""
TAP = _keys("tap", "of", required="text")
ADVISE = _keys("advisor", required="text")
DECIDE = _keys("effect", "send refused unknown later webhook ok fail timeout times book full")
EXPECT = _keys(
    "expect",
    "sent then_sent sent_contains never_sent sent_once sent_count state path slot vars customer tags score points "
    "effects goal window answered ended reason no_sends_after",
)
WINDOW_WANTED = _keys("window", "left", required="kind")
CUSTOMER = _keys("客户文件", "journey customer slots vars tags score points at value")
"""Of the file that says for whom a content is previewed."""
SILENCE = _keys("no_sends_after", "class", required="for")

TRIAL_KEYS: frozenset[str] = frozenset().union(
    *(keys.built | keys.unbuilt for keys in list(globals().values()) if isinstance(keys, Keys))
)
EVERY_KEY: frozenset[str] = ALL_KEYS | TRIAL_KEYS
"""Of journeys and of their tests: a full-width colon behind one of these is a slip (J003)."""
