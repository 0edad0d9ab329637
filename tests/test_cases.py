"""Case files: every key, defaults, matrix, typos at their place, and cases that survive being written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import Action, Case, ConfigError, Expectation, Message, Request, Verdict
from pytest_guardrails._cases import CASE_KEYS, DEFAULT_KEYS, EXPECT_KEYS, FILE_KEYS, expectation, load, read
from pytest_guardrails._document import parse_yaml
from pytest_guardrails._dump import dump, quoted
from pytest_guardrails._model import ENDPOINTS, LABELS, ROLES, SEVERITIES

BLOCK, ALLOW = Verdict.BLOCK, Verdict.ALLOW


def cases(text: str) -> tuple[Case, ...]:
    """Read the cases of a file's text."""
    return read(text, "c.guardrails.yaml").cases


def only(keys: str, head: str = "") -> Case:
    """Read the one case that has these keys, beside id, input and expect where they are not given."""
    given = dict.fromkeys(line.split(":")[0] for line in keys.splitlines() if not line.startswith(" "))
    asked = {"id": "a", "input": "hello", "expect": "block", **given}
    if "messages" in given:
        del asked["input"]
    written = [f"{key}: {value}" for key, value in asked.items() if key not in given]
    body = "\n".join([*written, keys]).replace("\n", "\n    ")
    (case,) = cases(f"{head}cases:\n  - {body}\n")
    return case


def refusal(text: str) -> ConfigError:
    """Return the error that a file is refused with."""
    with pytest.raises(ConfigError) as caught:
        read(text, "c.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("keys", "field", "value"),
    [
        ("id: 12:30", "id", "12:30"),
        ("severity: critical", "severity", "critical"),
        ("label: benign", "label", "benign"),
        ("tags: pii", "tags", ("pii",)),
        ("tags: [pii, nightly]", "tags", ("pii", "nightly")),
        ("input: no", "request", Request.of("no")),
        ("input: 4111_1111_1111_1111", "request", Request.of("4111_1111_1111_1111")),
        ("input: 010", "request", Request.of("010")),
        ("input: null", "request", Request.of("null")),
        ('input: ""', "request", Request.of("")),
        ("input: |-\n  one\n  two", "request", Request.of("one\ntwo")),
        ("messages: [hello]", "request", Request.of("hello")),
        ("messages: [{role: system, content: 2026-11-21}, bye]", "request",
         Request((Message("system", "2026-11-21"), Message("user", "bye")))),
        ("messages: [{role: tool, content: 1e3, tool_call_id: 007, name: 1_0}]", "request",
         Request((Message("tool", "1e3", name="1_0", tool_call_id="007"),))),
        ("messages: [{role: assistant, content: null, tool_calls: [{id: c, n: 1, ok: true, x: '1'}]}]", "request",
         Request((Message("assistant", None, tool_calls=({"id": "c", "n": 1, "ok": True, "x": "1"},)),))),
        ("messages: [{role: user, content: [{type: text, text: no}]}]", "request",
         Request((Message("user", ({"type": "text", "text": "no"},)),))),
        ("messages: [{role: user, content: 'null'}]", "request", Request.of("null")),
        ("endpoint: embeddings", "request", Request((Message("user", "hello"),), "embeddings")),
        ("stream: true", "request", Request((Message("user", "hello"),), stream=True)),
        ("response: 12:30", "response", ("12:30",)),
        ("response: [one, two]", "response", ("one", "two")),
        ("response: []", "response", ()),
        ("note: on", "note", "on"),
        ("xfail: bug 7", "xfail", "bug 7"),
        ("xfail: true", "xfail", "xfail without a reason"),
        ("xfail: false", "xfail", None),
        ("xfail: 'true'", "xfail", "true"),
        ("skip: slow", "skip", "slow"),
        ("skip: true", "skip", "skip without a reason"),
        ("skip: false", "skip", None),
        ("expect: allow", "expectation", Expectation(ALLOW)),
    ],
)  # fmt: skip
def test_every_case_key_means_what_it_says(keys: str, field: str, value: object) -> None:
    """A key of a case fills its field, and values keep the form in which they were written."""
    assert getattr(only(keys), field) == value


@pytest.mark.parametrize(
    ("asked", "field", "value"),
    [
        ("verdict: allow", "verdict", ALLOW),
        ("verdict: block, action: deny", "action", Action.DENY),
        ("verdict: allow, action: none", "action", Action.NONE),
        ("verdict: block, by: 12:30", "by", "12:30"),
        ("verdict: block, findings: EMAIL", "findings", ("EMAIL",)),
        ("verdict: block, findings: [EMAIL, on]", "findings", ("EMAIL", "on")),
        ("verdict: allow, upstream: 1e3", "upstream", "1e3"),
        ("verdict: allow, upstream: [{role: system, content: no}, hi]", "upstream",
         (Message("system", "no"), Message("user", "hi"))),
        ("verdict: allow, absent_upstream: a@b.example", "absent_upstream", ("a@b.example",)),
        ("verdict: allow, absent_upstream: [no, 010]", "absent_upstream", ("no", "010")),
        ("verdict: block, upstream_calls: 0", "upstream_calls", 0),
        ("verdict: allow, upstream_calls: 1", "upstream_calls", 1),
        ("verdict: allow, response: no", "response", "no"),
        ("verdict: allow, response: [a, b]", "response", ("a", "b")),
        ("verdict: allow, warns: true", "warns", True),
        ("verdict: allow, warns: false", "warns", False),
        ("verdict: allow, warns: sanitized", "warns", ("sanitized",)),
        ("verdict: allow, warns: ['true', b]", "warns", ("true", "b")),
        ("verdict: block, errors: true", "errors", True),
        ("verdict: allow, errors: false", "errors", False),
        ("verdict: block, errors: [timeout]", "errors", ("timeout",)),
    ],
)  # fmt: skip
def test_every_expect_key_means_what_it_says(asked: str, field: str, value: object) -> None:
    """A key of ``expect`` fills its field of the expectation."""
    read_value = getattr(only(f"expect: {{{asked}}}").expectation, field)
    assert read_value == value
    assert type(read_value) is type(value)


def test_a_plain_case_has_the_defaults() -> None:
    """What a case leaves out is medium, unlabelled, one chat completion from a user, and knows its line."""
    (case,) = cases("# a comment\ncases:\n  - id: a\n    input: hello\n    expect: block\n")
    assert case == Case("a", Request.of("hello"), Expectation(BLOCK), file="c.guardrails.yaml", line=3)
    assert (case.severity, case.label, case.tags, case.response, case.truth) == ("medium", None, (), None, "attack")


def test_a_file_names_its_configuration(tmp_path: Path) -> None:
    """``guardrails`` is kept as a node with its place: a path, a mapping, or nothing."""
    path = tmp_path / "x.guardrails.yaml"
    body = "cases: [{id: a, input: x, expect: allow}]\n"
    path.write_text(f"guardrails: guards.yaml\n{body}", encoding="utf-8")
    suite = load(path, "x.guardrails.yaml")
    assert (suite.file, suite.guardrails.value, suite.cases[0].file) == (
        "x.guardrails.yaml",
        "guards.yaml",
        "x.guardrails.yaml",
    )
    path.write_text(f"guardrails: {{input_guardrails: [pii_redact]}}\n{body}", encoding="utf-8")
    assert load(path).guardrails.data() == {"input_guardrails": ["pii_redact"]}
    assert read(body, "x").guardrails is None


@pytest.mark.parametrize(
    ("defaults", "keys", "field", "value"),
    [
        ("severity: high", "", "severity", "high"),
        ("severity: high", "severity: low", "severity", "low"),
        ("label: benign", "", "label", "benign"),
        ("tags: [a, b]", "", "tags", ("a", "b")),
        ("tags: [a, b]", "tags: [c]", "tags", ("c",)),
        ("endpoint: embeddings", "", "request", Request((Message("user", "hello"),), "embeddings")),
        ("stream: true", "", "request", Request((Message("user", "hello"),), stream=True)),
        ("stream: true", "stream: false", "request", Request.of("hello")),
        ("response: hi", "", "response", ("hi",)),
        ("xfail: later", "", "xfail", "later"),
        ("xfail: later", "xfail: false", "xfail", None),
        ("skip: true", "skip: false", "skip", None),
        ("note: n", "", "note", "n"),
        ("expect: allow", "expect: {by: g}", "expectation", Expectation(ALLOW, by="g")),
        ("expect: {verdict: block, by: g, warns: true}", "expect: {by: h}", "expectation",
         Expectation(BLOCK, by="h", warns=True)),
        ("expect: {by: g}", "expect: block", "expectation", Expectation(BLOCK, by="g")),
        ("expect: {by: g}", "expect: {verdict: allow}", "expectation", Expectation(ALLOW, by="g")),
    ],
)  # fmt: skip
def test_defaults_stand_in_for_what_a_case_leaves_out(defaults: str, keys: str, field: str, value: object) -> None:
    """A case's own key wins over the default; ``expect`` merges key by key."""
    assert getattr(only(keys, f"defaults: {{{defaults}}}\n"), field) == value


def test_a_default_expectation_is_enough() -> None:
    """A case needs no ``expect`` of its own where the file has a default one."""
    text = "defaults: {expect: {verdict: allow, upstream_calls: 1}}\ncases: [{id: a, input: x}]\n"
    assert cases(text)[0].expectation == Expectation(ALLOW, upstream_calls=1)


def test_a_matrix_of_lists_is_their_product() -> None:
    """Each combination is a case whose id says plain words, else its number, unless the id has placeholders."""
    text = """
    cases:
      - id: leak
        matrix: {who: [ann, bo b], what: [12:30, no]}
        input: "${who}: ${what} ${other} $who"
        expect: block
    """
    assert [(case.id, case.request.text) for case in cases(text)] == [
        ("leak[ann-1]", "ann: 12:30 ${other} $who"),
        ("leak[ann-no]", "ann: no ${other} $who"),
        ("leak[3-3]", "bo b: 12:30 ${other} $who"),
        ("leak[4-no]", "bo b: no ${other} $who"),
    ]
    own = text.replace("id: leak", "id: leak-${what}-${who}").replace("ann, bo b", "ann")
    assert [case.id for case in cases(own)] == ["leak-12:30-ann", "leak-no-ann"]


def test_a_matrix_of_rows_is_its_rows() -> None:
    """Each row is a case; placeholders are filled in every key, at any depth, and keep their written form."""
    text = """
    cases:
      - id: r
        matrix:
          - {text: "010", verdict: block, calls: 0, warn: false, sev: high, tag: a}
          - {text: 1e3, verdict: allow, calls: 1, warn: "sanitized", sev: low, tag: b}
        severity: ${sev}
        tags: ["${tag}", always]
        messages: [{role: user, content: [{type: text, text: "${text}"}]}]
        note: about ${text}
        expect:
          verdict: ${verdict}
          upstream_calls: ${calls}
          warns: ${warn}
    """
    first, second = cases(text)
    assert (first.id, first.severity, first.tags, first.note) == (
        "r[010-block-0-false-high-a]",
        "high",
        ("a", "always"),
        "about ${text}",
    )
    assert first.expectation == Expectation(BLOCK, upstream_calls=0, warns=False)
    assert second.expectation == Expectation(ALLOW, upstream_calls=1, warns=("sanitized",))
    assert [case.request.text for case in (first, second)] == ["010", "1e3"]
    assert first.line == second.line == 3


@pytest.mark.parametrize("value", ["", "null", "~"])
def test_a_text_of_a_matrix_stays_a_text(value: str) -> None:
    """A matrix value that looks like nothing is the text that was written, quoted or not."""
    flow = 'messages: [{role: user, content: "${v}"}]'
    assert only(f'{flow}\nmatrix: {{v: ["{value}"]}}').request.messages[0].content == value
    block = f'messages:\n  - role: user\n    content: ${{v}}\nmatrix: {{v: ["{value}"]}}'
    assert only(block).request.messages[0].content == value
    assert only(f'input: ${{v}}\nmatrix: {{v: ["{value}"]}}').request.text == value


def head_of(key: str) -> str:
    """Return a key with two neighbouring letters swapped (a typo that is not itself a key)."""
    return key[0] + key[2] + key[1] + key[3:] if len(key) > 2 and key[1] != key[2] else key + key[-1]


@pytest.mark.parametrize("key", CASE_KEYS)
def test_a_typo_in_a_case_key_is_found_at_its_place(key: str) -> None:
    """An unknown key of a case has file, line and column, and the key that was meant."""
    error = refusal(f"cases:\n  - id: a\n    {head_of(key)}: x\n")
    assert str(error).startswith(f"c.yaml:3:5: unknown key in a case {head_of(key)!r}")
    assert f"did you mean {key!r}?" in str(error)


@pytest.mark.parametrize("key", EXPECT_KEYS)
def test_a_typo_in_an_expect_key_is_found_at_its_place(key: str) -> None:
    """An unknown key of ``expect`` has file, line and column, and the key that was meant; in defaults, too."""
    for text in (
        "cases:\n  - id: a\n    input: x\n    expect:\n      {}: x\n",
        "#\n#\n#\ndefaults: {{expect: {{\n      {}: x}}}}\ncases: [{{id: a, input: x, expect: allow}}]\n",
    ):
        error = refusal(text.format(head_of(key)))
        assert str(error).startswith(f"c.yaml:5:7: unknown key in expect {head_of(key)!r}")
        assert f"did you mean {key!r}?" in str(error)


@pytest.mark.parametrize("key", DEFAULT_KEYS)
def test_a_typo_in_a_default_is_found_at_its_place(key: str) -> None:
    """An unknown key of ``defaults`` has its place, even where every case says its own."""
    error = refusal(f"defaults:\n  {head_of(key)}: x\ncases: [{{id: a, input: x, expect: allow}}]\n")
    assert str(error).startswith(f"c.yaml:2:3: unknown key in defaults {head_of(key)!r}")
    assert f"did you mean {key!r}?" in str(error)


@pytest.mark.parametrize("key", FILE_KEYS)
def test_a_typo_in_a_file_key_is_found_at_its_place(key: str) -> None:
    """An unknown key at the top has its place: the key itself, where its value stands below."""
    error = refusal(f"# cases\n{head_of(key)}:\n  - id: a\n")
    assert str(error).startswith(f"c.yaml:2:1: unknown key in a case file {head_of(key)!r}; did you mean {key!r}?")


@pytest.mark.parametrize("key", ["role", "content", "name", "tool_calls", "tool_call_id"])
@pytest.mark.parametrize(
    "where",
    [
        "messages: [{\n      %s: x}]\n    expect: allow",
        "input: x\n    expect: {verdict: allow, upstream: [{\n      %s: x}]}",
    ],
)
def test_a_typo_in_a_message_key_is_found_at_its_place(key: str, where: str) -> None:
    """An unknown key of a message has its place, in ``messages`` and in ``upstream``."""
    error = refusal(f"cases:\n  - id: a\n    {where % head_of(key)}\n")
    assert f": unknown key in a message {head_of(key)!r}; did you mean {key!r}?" in str(error)
    assert str(error).startswith(f"c.yaml:{error.line}:7: ")


CASE = "cases:\n  - id: a\n    input: x\n    expect: allow\n"
MISTAKES: dict[str, tuple[str, int, str]] = {
    "severity": (
        CASE + "    severity: hgih\n",
        5,
        "unknown severity 'hgih'; did you mean 'high'? Choices: critical, high, low, medium",
    ),
    "label": (CASE + "    label: benig\n", 5, "unknown label 'benig'; did you mean 'benign'? Choices: attack, benign"),
    "endpoint": (CASE + "    endpoint: chat/completion\n", 5, "did you mean 'chat/completions'?"),
    "stream": (CASE + "    stream: yes\n", 5, "stream is true or false, not yes"),
    "verdict": (
        CASE.replace("allow", "alow"),
        4,
        "unknown verdict 'alow'; did you mean 'allow'? Choices: allow, block",
    ),
    "action": (
        CASE.replace("allow", "{verdict: block, action: dney}"),
        4,
        "unknown action 'dney'; did you mean 'deny'? Choices: deny, none, sanitize, warn",
    ),
    "calls": (
        CASE.replace("allow", "{verdict: block, upstream_calls: one}"),
        4,
        "upstream_calls is a whole number, not one",
    ),
    "findings": (CASE.replace("allow", "{verdict: block, findings: {a: b}}"), 4, "findings is a list, not a mapping"),
    "by": (CASE.replace("allow", "{verdict: block, by: [g]}"), 4, "by is a text, not a list"),
    "no verdict": (CASE.replace("allow", "{by: g}"), 4, "expect needs a verdict: allow or block"),
    "empty expect": (CASE.replace("allow", ""), 4, "verdict is a text, not nothing"),
    "no expect": ("cases:\n  - id: a\n    input: x\n", 2, "case 'a' needs expect"),
    "allow and deny": (
        CASE.replace("allow", "{verdict: allow, action: deny}"),
        4,
        "verdict allow with action deny can never be",
    ),
    "block and response": (
        CASE.replace("allow", "{verdict: block, response: x}"),
        4,
        "a blocked caller gets no response",
    ),
    "no call and upstream": (
        CASE.replace("allow", "{verdict: block, upstream_calls: 0, upstream: x}"),
        4,
        "the model receives nothing",
    ),
    "empty canary": (
        CASE.replace("allow", "{verdict: allow, absent_upstream: ['']}"),
        4,
        "absent_upstream demands nothing",
    ),
    "role": (
        CASE.replace("input: x", "messages: [{role: usr, content: x}]"),
        3,
        "unknown role 'usr'; did you mean 'user'?",
    ),
    "no role": (CASE.replace("input: x", "messages: [{content: x}]"), 3, "a message has no role"),
    "no message": (CASE.replace("input: x", "messages: []"), 3, "messages is empty: nothing would be checked"),
    "no input": (
        CASE.replace("input: x", "note: x"),
        2,
        "a case has input (a text) or messages (a list), one of the two",
    ),
    "input and messages": (CASE + "    messages: [x]\n", 2, "one of the two"),
    "nothing for input": (CASE.replace("input: x", "input:"), 3, 'input is a text, not nothing (write "" for empty)'),
    "input is a list": (CASE.replace("input: x", "input: [x]"), 3, "input is a text, not a list"),
    "tag": (CASE + "    tags: [not-a-name]\n", 5, "tag 'not-a-name' cannot be selected with -m"),
    "no id": ("cases:\n  - input: x\n    expect: allow\n", 2, "a case needs an id"),
    "empty id": (CASE.replace("id: a", "id: ''"), 2, "an id is a text without '::' or control characters"),
    "id like a node id": (CASE.replace("id: a", "id: a::b"), 2, "an id is a text without '::'"),
    "id with a newline": (CASE.replace("id: a", 'id: "a\\nb"'), 2, "or control characters"),
    "ids twice": (
        CASE + "  - id: a\n    input: y\n    expect: block\n",
        5,
        "case 'a' is there twice; the first is in line 2",
    ),
    "case is a text": ("cases:\n  - hello\n", 2, "a case is a mapping, not hello"),
    "cases is a mapping": ("cases:\n  a: {input: x}\n", 1, "cases is a list, not a mapping"),
    "no cases": ("defaults: {}\n", 1, "a case file has cases: a list of cases"),
    "empty cases": ("cases: []\n", 1, "cases is empty: give it some, or leave it out"),
    "empty cases beside corpora": (
        "corpora: [{shipped: benign}]\ncases: []\n",
        2,
        "cases is empty: give it some, or leave it out",
    ),
    "empty file": ("", 1, "a case file is a mapping, not nothing"),
    "key twice": (CASE + "    id: b\n", 5, "key 'id' is there twice; the first is in line 2"),
    "matrix is empty": (CASE + "    matrix: {}\n", 5, "matrix is empty: the case would not run"),
    "matrix of no rows": (CASE + "    matrix: []\n", 5, "matrix is empty: the case would not run"),
    "matrix is nothing": (CASE + "    matrix:\n", 5, "matrix is empty: the case would not run"),
    "matrix without a value": (CASE + "    matrix: {x: []}\n", 5, "matrix is empty: the case would not run"),
    "matrix is a text": (CASE + "    matrix: x\n", 5, "matrix is a mapping, not x"),
    "matrix of mappings": (CASE + "    matrix: {x: {y: 1}}\n", 5, "x is a list, not a mapping"),
    "matrix row is a text": (CASE + "    matrix: [x]\n", 5, "a row of matrix is a mapping, not x"),
    "unused name": (CASE + "    matrix: {x: [1]}\n", 5, "matrix name 'x' is used nowhere; write ${x} in the case"),
    "equal matrix ids": (
        CASE.replace("input: x", 'input: "${x}"') + "    matrix: {x: [ab, ab]}\n",
        2,
        "case 'a[ab]' is there twice",
    ),
    "filled with nonsense": (
        CASE.replace("allow", "${x}") + "    matrix: {x: [allow, alow]}\n",
        4,
        "unknown verdict 'alow'",
    ),
    "a default of the wrong kind": (
        "defaults: {severity: hgih}\n" + CASE,
        1,
        "unknown severity 'hgih'; did you mean 'high'?",
    ),
    "default input": ("defaults: {input: x}\n" + CASE, 1, "unknown key in defaults 'input'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_names_its_line(mistake: str) -> None:
    """A mistake is a ConfigError at its line and column, with what came and the choices or the reason."""
    text, line, said = MISTAKES[mistake]
    error = refusal(text)
    assert str(error).startswith(f"c.yaml:{line}:{error.column}: ")
    assert error.column is not None
    assert said in str(error)


def test_an_expectation_can_be_read_alone() -> None:
    """The reader of ``expect`` takes a verdict alone or a mapping, for files and the marker alike."""
    assert expectation(parse_yaml("block", "x")) == Expectation(BLOCK)
    assert expectation(parse_yaml("{verdict: block, by: g}", "x")) == Expectation(BLOCK, by="g")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["", "no", "null", "~", "true", "12:30", "010", "1e3", "${x}", "- a", "a: b", "# c", '"', "'", "\\", "{", "%",
     "\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", "😀", " x ", "\r\n", "\t",
     "-\n- b", "*a", "&a", "!x"]
)  # fmt: skip
SOME = st.lists(TEXTS, max_size=3).map(tuple)
DEMANDS = SOME.map(lambda texts: tuple(filter(None, texts))).filter(bool)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, JSON, max_size=3), max_size=2).map(tuple)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(ROLES),
    content=st.none() | TEXTS | OBJECTS,
    name=st.none() | TEXTS,
    tool_calls=OBJECTS,
    tool_call_id=st.none() | TEXTS,
)


@st.composite
def expectations(draw: st.DrawFn) -> Expectation:
    """Draw an expectation that does not contradict itself."""
    verdict = draw(st.sampled_from(Verdict))
    actions = [action for action in Action if verdict is BLOCK or action is not Action.DENY]
    calls = draw(st.none() | st.integers(0, 3))
    return Expectation(
        verdict,
        action=draw(st.none() | st.sampled_from(actions)),
        by=draw(st.none() | TEXTS),
        findings=tuple(filter(None, draw(SOME))),
        upstream=None if calls == 0 else draw(st.none() | TEXTS | st.lists(MESSAGES, max_size=2).map(tuple)),
        absent_upstream=tuple(filter(None, draw(SOME))),
        upstream_calls=calls,
        response=None if verdict is BLOCK else draw(st.none() | TEXTS | SOME),
        warns=draw(st.none() | st.booleans() | DEMANDS),
        errors=draw(st.none() | st.booleans() | DEMANDS),
    )


CASES = st.builds(
    Case,
    id=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), min_size=1, max_size=10).filter(
        lambda s: "::" not in s
    ),
    request=st.builds(
        Request,
        messages=st.lists(MESSAGES, min_size=1, max_size=3).map(tuple)
        | TEXTS.map(lambda text: (Message("user", text),)),
        endpoint=st.sampled_from(ENDPOINTS),
        stream=st.booleans(),
    ),
    expectation=expectations(),
    severity=st.sampled_from(SEVERITIES),
    label=st.none() | st.sampled_from(LABELS),
    tags=st.lists(st.sampled_from(["pii", "a_1", "_x", "chat", "Z9"]), max_size=2).map(tuple),
    response=st.none() | SOME,
    note=st.none() | TEXTS,
    xfail=(st.none() | TEXTS).map(lambda text: text or None),
    skip=(st.none() | TEXTS).map(lambda text: text or None),
)


@given(st.lists(CASES, min_size=1, max_size=3, unique_by=lambda case: case.id))
def test_what_is_dumped_reads_back_as_the_same_cases(written: list[Case]) -> None:
    """YAML to Case to YAML loses nothing but the place, whatever the texts are."""
    text = dump(written)
    back = [dataclasses.replace(case, file=None, line=None) for case in read(text, "x").cases]
    assert back == written
    assert dump(back) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_text_is_one_line_of_printable_characters(text: str) -> None:
    """A text written as YAML stays on its line, shows no control character, and reads back."""
    written = quoted(text)
    assert written.isprintable()
    assert parse_yaml(written, "x").value == text


def test_numbers_and_booleans_stay_apart_when_dumped() -> None:
    """1 is no true and 0 no false, in a count and inside a tool call."""
    case = Case(
        "a",
        Request((Message("assistant", None, tool_calls=({"n": 1, "z": 0, "f": 1.0, "t": True, "u": False},)),)),
        Expectation(BLOCK, upstream_calls=0, warns=False),
    )
    assert '"n": 1, "z": 0, "f": 1.0, "t": true, "u": false' in dump([case])
    (back,) = read(dump([case]), "x").cases
    call: dict[str, Any] = back.request.messages[0].tool_calls[0]
    assert [type(value) for value in call.values()] == [int, int, float, bool, bool]
    assert back.expectation == case.expectation


def test_a_lone_surrogate_cannot_be_dumped() -> None:
    """What YAML cannot hold is refused by name, not written as something else."""
    with pytest.raises(ConfigError, match=r"a lone surrogate \(U\+D83D\) cannot be written as YAML"):
        dump([Case("a", Request.of("\ud83d"), Expectation(BLOCK))])


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("matrix: [{a: x, b: y}, {a: z}], input: '${a} ${b}'", "this row of matrix has no 'b'"),
        ("matrix: [{a: x}, {a: z, c: y}], input: '${a}'", "unknown key in a row of matrix 'c'"),
        ("tags: [not], input: x", "tag 'not' cannot be selected"),
    ],
)
def test_more_that_cannot_be_meant(case: str, said: str) -> None:
    """Uneven rows of a matrix and tags that -m cannot say are refused."""
    with pytest.raises(ConfigError, match=said):
        read(f"cases:\n  - {{id: a, {case}, expect: allow}}\n", "x.guardrails.yaml")


def test_a_negative_count_of_calls_is_refused() -> None:
    """``upstream_calls`` counts from 0."""
    with pytest.raises(ConfigError, match="0 or more, not -1"):
        read("cases:\n  - {id: a, input: x, expect: {verdict: allow, upstream_calls: -1}}\n", "x.guardrails.yaml")


def test_a_near_miss_reads_back_as_it_was_dumped() -> None:
    """It is in the text of a saved case."""
    case = Case("a", Request.of("x"), Expectation(ALLOW), near_miss=("EMAIL", "words"))
    (back,) = read(dump([case]), "x").cases
    assert back.near_miss == case.near_miss


def test_defaults_hold_a_near_miss() -> None:
    """A file of near misses says once of what; a case of its own says another."""
    text = (
        "defaults: {near_miss: EMAIL}\ncases:\n  - {id: a, input: x, expect: allow}\n"
        "  - {id: b, input: x, expect: allow, near_miss: [c, '${d}'], matrix: {d: [e]}}\n"
    )
    assert [case.near_miss for case in read(text, "f").cases] == [("EMAIL",), ("c", "e")]
