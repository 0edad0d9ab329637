"""Nothing of a card, a key, an e-mail or a sentence of a case is in what a run leaves behind, unless it is revealed."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from types import ModuleType

import pytest

from pytest_guardrails.cli import main
from pytest_guardrails.reporters import BENCHMARK, REPORTERS

GUARD = """\
version: "1"
input_guardrails:
  - id: redact
    pii_redact: {{entities: [EMAIL], allowlist: [{local}@elsewhere.example, {{literal: {phrase}}}]}}
    action: sanitize
  - {{id: words, default.contains: {{words: [unicycle], operator: none}}, deny: {deny}}}
output_guardrails:
  - {{id: answers, default.contains: {{words: [zebrawood], operator: none}}, deny: true}}
"""
CASES = """\
guardrails: guard.yaml
shadow: candidate.yaml
grader: graders.py:strict
gates: ["fpr<=99%", "point:recall>=1%", "error_rate==0"]
cases:
  - {{id: input, input: {secret}, expect: {{verdict: allow, upstream: {other}}}}}
  - {{id: passes, input: {email}, expect: allow}}
  - id: messages
    messages:
      - {{role: system, content: {secret}}}
      - role: user
        name: {email}
        content: [{{type: text, text: {secret}}}, {{type: image_url, image_url: {{url: {secret}}}}}]
      - role: assistant
        content: {secret}
        tool_calls: [{{id: {key}, type: function, function: {{name: {key}, arguments: {arguments}}}}}]
      - {{role: tool, tool_call_id: {key}, content: {secret}}}
    expect: {{verdict: block, upstream: [{{role: user, content: {secret}}}]}}
  - {{id: answer, input: hello, response: {secret}, expect: {{verdict: allow, response: {secret}}}}}
  - id: stream
    input: hello
    stream: true
    response: [{email}, {card}]
    expect: {{verdict: allow, response: {secret}}}
  - {{id: absent, input: {key}, expect: {{verdict: allow, absent_upstream: [{key}]}}}}
  - {{id: encoded, input: {encoded}, expect: {{verdict: allow, absent_upstream: [{card}]}}}}
  - id: findings
    input: {card}
    expect: {{verdict: allow, findings: [{email}, {card}], warns: [{key}], errors: [{secret}]}}
  - {{id: known, input: {secret}, expect: block, xfail: known}}
  - {{id: row, matrix: {{text: [{email}, {card}]}}, input: "${{text}}", expect: block}}
  - {{id: graded, input: {email}, expect: allow, rubric: [{{id: kind, ask: {secret}}}, order_seen]}}
  - {{id: raised, input: {card}, expect: allow, rubric: [{{id: kind, ask: {secret}}}]}}
corpora:
  - {{file: rows.jsonl, max_fpr: "point:0", min_recall: "point:1"}}
"""
GRADERS = """\
def strict(criterion, trace, case):
    if case.id == "raised":
        raise ValueError(trace.request.text + criterion.ask)
    return 2, "it says " + trace.request.text + criterion.ask
"""
PYTHON = """\
import pytest
from pytest_guardrails import expect_verdict
from pytest_guardrails.targets.embedded import Engine
from pytest_guardrails._model import Finding, Guardrail, Phase

SECRET = {secret}

class Broken:
    id = "broken"
    def __call__(self, texts):
        raise RuntimeError(f"vendor said: cannot read {{texts[0].text}}")

class Talkative:
    id = "talkative"
    def __call__(self, texts):
        text = texts[0].text
        return [Finding("name", "category", field=texts[0].field, start=0, end=4, replacement=text, vendor_action="X")]

class Mislabelled:
    id = "mislabelled"
    def __init__(self, label):
        self.label = label
    def __call__(self, texts):
        return [Finding(self.label, "category", start=0, end=4)]

@pytest.fixture(scope="session")
def guardrails_config():
    checks = [Broken(), Talkative(), *map(Mislabelled, {labels})]
    return Engine([
        Guardrail(check.id + str(n), Phase.BEFORE_REQUEST, (check,), action="sanitize", on_error="allow")
        for n, check in enumerate(checks)
    ])

@expect_verdict("block")
def test_vendor(guardrail_engine):
    guardrail_engine.run(SECRET)

@expect_verdict("allow", upstream="nothing")
def test_upstream(guardrail_engine):
    guardrail_engine.run(SECRET)

@expect_verdict("allow", absent_upstream=SECRET, errors=False)
def test_absent(guardrail_engine):
    guardrail_engine.run([{{"role": "user", "content": SECRET}}, SECRET])
"""
EVERYTHING = [
    *(f"--guardrails-report={kind}:out/{kind}" for kind in (*REPORTERS, f"{BENCHMARK}")),
    "--junitxml=out/junit-of-pytest.xml",
    "--guardrails-update-baseline",
    "--guardrails-baseline=out/baseline.jsonl",
    "--guardrails-history=out/history.jsonl",
    "--guardrails-arming",
    "-v",
    "-rA",
]
WRITTEN_BY_US = ("chat.guardrails.yaml", "guard.yaml", "candidate.yaml", "rows.jsonl", "test_private.py", "graders.py")


@pytest.fixture
def suite(pytester: pytest.Pytester, private: ModuleType, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite with private data wherever a text of a case can stand."""
    for name in ("CI", "BUILD_NUMBER", "COLUMNS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    private_texts = {
        "secret": private.SECRET, "email": private.EMAIL, "card": private.CARD, "key": private.KEY,
        "other": f"another {private.SECRET}",
        "arguments": json.dumps({private.EMAIL: private.SECRET, "card": int(private.DIGITS)}),
        "encoded": base64.b64encode(private.CARD.encode()).decode(),
    }  # fmt: skip
    write = {
        "guard.yaml": GUARD.format(deny="true", local=private.LOCAL, phrase=private.PHRASE),
        "candidate.yaml": GUARD.format(deny="false", local=private.LOCAL, phrase=private.PHRASE),
        "chat.guardrails.yaml": CASES.format(**{name: json.dumps(text) for name, text in private_texts.items()}),
        "graders.py": GRADERS,
        "test_private.py": PYTHON.format(
            secret=repr(private.SECRET), labels=[private.EMAIL, private.CARD, private.KEY, private.SECRET]
        ),
    }
    rows = [
        {"text": private.SECRET, "label": "benign"},
        {"text": private.EMAIL, "label": "attack", "id": private.EMAIL, "category": private.EMAIL},
        {"text": private.CARD, "label": "attack", "id": private.CARD, "category": private.CARD},
        {"text": private.DIGITS, "label": "attack", "id": private.DIGITS},
        {"text": f"{private.EMAIL} again", "label": "attack", "category": f"from {private.EMAIL}"},
    ]
    write["rows.jsonl"] = "".join(f"{json.dumps(row)}\n" for row in rows)
    for name, text in write.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    return pytester


def printed(result: pytest.RunResult) -> str:
    """Return all that a run printed."""
    return "\n".join([*result.outlines, *result.errlines])


# The search itself


def test_the_search_finds_what_is_hidden(private: ModuleType) -> None:
    """Each kind is found raw and in each encoding; a masked text is clean."""
    known = {private.EMAIL: "e-mail", private.CARD: "card", private.DIGITS: "card", private.KEY: "key"}
    for text, kind in known.items():
        shapes = [
            text, text[::-1], text.upper(), text.encode().hex(), base64.b64encode(text.encode()).decode(),
            base64.urlsafe_b64encode(f"x{text}".encode()).decode(), urllib.parse.quote(text), html.escape(text),
            json.dumps("".join(f"\\u{ord(letter):04x}" for letter in text))[1:-1].replace("\\\\", "\\"),
            "".join(f"&#{ord(letter)};" for letter in text), text.replace(" ", "-"),
            "".join(f"%{ord(letter):02X}" for letter in text),
        ]  # fmt: skip
        for shape in shapes:
            assert kind in private.leaks(f"before {shape} after"), shape
    assert private.leaks("«aa aaa@aaa.aaa 9999 · 20 chars · #0123abcd»") == []


# A run


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_nothing_private_is_left_behind(suite: pytest.Pytester, private: ModuleType, workers: tuple[str, ...]) -> None:
    """Every report, JUnit, baseline, history, the terminal and pytest's cache, raw and encoded, names of files too."""
    result = suite.runpytest(*EVERYTHING, *workers)
    said = printed(result)
    assert result.ret in (1, 10)
    assert "12 cases" in said or "cases" in said
    found = private.leaking_files(suite.path, but=(*WRITTEN_BY_US, "__pycache__"))
    assert found == {}
    assert private.leaks(said) == [], private.where(said, [n for kind in private.NEEDLES.values() for n in kind])
    written = {path.name for path in (suite.path / "out").iterdir()}
    assert {*REPORTERS, "junit-of-pytest.xml", "history.jsonl"} - {"gha-benchmark-bigger"} <= written | set(REPORTERS)


OWN = """\
import logging
import pytest
from pytest_guardrails import expect_verdict

@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"

@pytest.fixture
def bad():
    raise ValueError({card})

@expect_verdict("block")
def test_assert(guardrail_engine, record_property):
    record_property("mail", {email})
    trace = guardrail_engine.run({secret})
    print({secret})
    logging.getLogger("x").warning({secret})
    assert trace.request.text == {email}

@expect_verdict("block")
def test_raise(guardrail_engine):
    guardrail_engine.run({secret})
    raise RuntimeError({email})

@expect_verdict("block")
def test_fixture(guardrail_engine, bad):
    guardrail_engine.run({secret})

@expect_verdict("block")
def test_skip(guardrail_engine):
    guardrail_engine.run({secret})
    pytest.skip({key})

@pytest.mark.parametrize("text", [{email}, {card}, {key}])
@expect_verdict("allow")
def test_ids(guardrail_engine, text):
    guardrail_engine.run(text)
"""


def test_what_an_author_prints_is_in_no_report_of_ours(suite: pytest.Pytester, private: ModuleType) -> None:
    """Asserts, exceptions, prints, logs, properties, reasons and parameters are quoted by pytest and nothing else."""
    texts = {name.lower(): repr(getattr(private, name)) for name in ("SECRET", "EMAIL", "CARD", "KEY")}
    (suite.path / "test_own.py").write_text(OWN.format(**texts))
    result = suite.runpytest("test_own.py", *EVERYTHING)
    assert "test_ids" in (suite.path / "out" / "json").read_text()
    assert "e-mail" in private.leaks(printed(result)), "pytest quotes it, so that there was something to leave out"
    assert private.leaking_files(suite.path / "out", but=("junit-of-pytest.xml",)) == {}


def test_revealed_texts_are_there_and_only_there(suite: pytest.Pytester, private: ModuleType) -> None:
    """With ``--guardrails-reveal`` reports show texts; baseline and history, which are committed, still do not."""
    result = suite.runpytest(*EVERYTHING, "--guardrails-reveal")
    found = private.leaking_files(suite.path / "out")
    assert {"json", "html", "traces"} <= set(found)
    assert "baseline.jsonl" not in found
    assert "history.jsonl" not in found
    assert "text" in private.leaks(printed(result))


def test_the_summary_and_annotations_of_a_step(
    suite: pytest.Pytester, private: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What GitHub is told is as clean as the rest."""
    step = suite.path / "step.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = suite.runpytest()
    result.stdout.fnmatch_lines(["::error *"])
    assert private.leaks(step.read_text(encoding="utf-8")) == []
    assert private.leaks(printed(result)) == []


def test_reports_drawn_and_merged_again(
    suite: pytest.Pytester, private: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """``report``, ``merge`` and ``compare`` have no more than the file that they read."""
    suite.runpytest("--guardrails-report=json:out/report.json")
    for command in (
        ["report", "out/report.json", "--to", "html", "-o", "out/again.html"],
        ["merge", "out/report.json", "-o", "out/merged.json"],
        ["compare", "out/report.json", "out/report.json"],
    ):
        assert main(command) in (0, 1)
        said = capsys.readouterr()
        assert private.leaks(said.out + said.err) == []
    assert (suite.path / "out/again.html").stat().st_size > 1000
    assert private.leaking_files(suite.path / "out") == {}


# What is wrong with a file is said without what stands in it


HEAD = "guardrails: guard.yaml\ncases:\n  - "
BROKEN = {
    "an unknown key": "{{id: a, inputs: {secret}, expect: allow}}\n",
    "no YAML": "{{id: a, input: {secret}, expect: allow\n",
    "a tab": "id: a\n\tinput: {secret}\n",
    "two of a key": "{{id: a, input: {secret}, input: {secret}, expect: allow}}\n",
    "a wrong message": "{{id: a, messages: [{{role: user, text: {secret}}}], expect: allow}}\n",
    "a message that is none": "{{id: a, messages: {secret}, expect: allow}}\n",
    "an unquoted text": "id: a\n    input: {plain}: more: {plain}\n    expect: allow\n",
    "an anchor": "{{id: a, input: *{local}, expect: allow}}\n",
}


@pytest.mark.parametrize("kind", list(BROKEN))
def test_errors_of_case_files(kind: str, suite: pytest.Pytester, private: ModuleType) -> None:
    """The place is named, and no text of the case."""
    text = HEAD + BROKEN[kind].format(secret=json.dumps(private.SECRET), plain=private.SECRET, local=private.LOCAL)
    suite.path.joinpath("chat.guardrails.yaml").write_text(text)
    result = suite.runpytest("chat.guardrails.yaml", "--junitxml=out.xml")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "chat.guardrails.yaml:" in printed(result)
    assert private.leaks(printed(result)) == []
    assert private.leaks((suite.path / "out.xml").read_text()) == []


ROWS = {
    "a label": '{{"text": "hello", "label": {secret}}}\n',
    "a field": '{{"text": "hello", "label": "benign", {secret}: 1}}\n',
    "an id that is there twice": '{{"text": "a", "label": "benign", "id": {secret}}}\n' * 2,
    "no JSON": '{{"text": {secret}, "label": "benign"\n',
    "a span": '{{"text": {secret}, "label": "benign", "spans": [{{"entity": "x", {secret}: 1}}]}}\n',
    "two objects": '{{"text": {secret}, "label": "benign"}} {{"text": {secret}}}\n',
}


@pytest.mark.parametrize("kind", list(ROWS))
def test_errors_of_corpora(kind: str, suite: pytest.Pytester, private: ModuleType) -> None:
    """The file and line are named, and nothing of the row."""
    (suite.path / "rows.jsonl").write_text(ROWS[kind].format(secret=json.dumps(private.SECRET)))
    (suite.path / "chat.guardrails.yaml").write_text("guardrails: guard.yaml\ncorpora:\n  - {file: rows.jsonl}\n")
    result = suite.runpytest("chat.guardrails.yaml", "--junitxml=out.xml", "--guardrails-report=json:r.json")
    said = printed(result)
    assert result.ret != 0
    assert "rows.jsonl:" in said
    assert private.leaks(said) == [], private.where(said, private.NEEDLES["text"])
    assert private.leaks((suite.path / "out.xml").read_text()) == []
