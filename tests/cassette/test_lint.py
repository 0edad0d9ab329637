"""What lint finds in cassettes, and what it never prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._cassette import Cassette, Metadata, lint, save
from pytest_guardrails._cassette._lint import Problem

LETTERS = "Q7rZ2mXk9TbW4hLcV6nPyD3sGf8JqE5u"  # no key of anybody
KEY = "sk-" + LETTERS
JWT = ".".join(("eyJ" + "hbGciOiJIUzI1", "eyJzdWIiOiIxMjM0", "abcDEF123-_xyz"))
MAIL = "jane.roe" + "@" + "corp.example"
SYNTHETIC = Metadata("synthetic")


def problems(tmp_path: Path, *made: Any, suffix: str = ".yaml", metadata: Metadata = SYNTHETIC) -> list[Problem]:
    """Lint a cassette of these interactions."""
    path = tmp_path / f"x{suffix}"
    save(path, Cassette(made, metadata))
    return lint(path)


def raw(tmp_path: Path, **changes: Any) -> list[Problem]:
    """Lint a file that was not written here, and may hold anything."""
    request = {"method": "POST", "uri": "https://a.example/", "body": "", "headers": {}, **changes.pop("request", {})}
    response = {"status": {"code": 200}, "headers": {}, "body": {"string": ""}, **changes.pop("response", {})}
    content = {
        "guardrails": {"kind": "recorded"},
        "interactions": [{"request": request, "response": response}],
        **changes,
    }
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    return lint(path)


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".jsonl"])
def test_a_clean_cassette_has_no_problem(tmp_path: Path, made: Any, suffix: str) -> None:
    """An ordinary question and answer, in a cassette that says what it is."""
    answer = {"violations_detected": False, "deputies": {"jailbreak": False}, "findings": {}, "score": 0.123456789}
    assert problems(tmp_path, made("What is the capital of France?", answer), suffix=suffix) == []


@pytest.mark.parametrize(
    ("text", "what", "kind"),
    [
        (f"my key is {KEY}", "API_KEY", "credential"),
        (f"my key is {'AKIA' + LETTERS.upper()[:16]}", "API_KEY", "credential"),
        (f"my key is {'ghp_' + LETTERS + 'a1B2'}", "API_KEY", "credential"),
        (f"token {JWT}", "a JWT", "credential"),
        ("key lasso_" + "live_" + "a1b2c3d4" * 4, "a Lasso key", "credential"),
        ("Bearer " + "abcd1234" * 4, "a bearer token", "credential"),
        (f"write to {MAIL}", "EMAIL", "personal data"),
        ("card 4111 1111 1111 1111", "CREDIT_CARD", "personal data"),
    ],
)
@pytest.mark.parametrize("part", ["request", "response"])
def test_texts_are_looked_through(tmp_path: Path, made: Any, text: str, what: str, kind: str, part: str) -> None:
    """A credential or personal data is found in either body, with its place and without its value."""
    interaction = made(text) if part == "request" else made(answer={"messages": [{"content": text}]})
    (problem,) = problems(tmp_path, made("fine"), interaction, suffix=".jsonl")
    assert (problem.what, problem.kind) == (what, kind)
    assert problem.where.endswith(f"{part} body.messages[0].content")
    assert problem.line in (2, 3)
    assert text.split()[-1] not in repr(problem)


def test_the_line_is_that_of_the_interaction(tmp_path: Path, made: Any) -> None:
    """In YAML, too, a problem says where its interaction starts."""
    (problem,) = problems(tmp_path, made("fine"), made(f"write to {MAIL}"))
    lines = (tmp_path / "x.yaml").read_text().splitlines()
    starts = [number for number, line in enumerate(lines, 1) if line.startswith("- request:")]
    assert problem.line == starts[1]
    assert problem.where.startswith("interaction 2, ")


@pytest.mark.parametrize("name", ["Authorization", "lasso-api-key", "Cookie", "X-Auth-Token", "Proxy-Authorization"])
def test_headers_that_are_credentials(tmp_path: Path, name: str) -> None:
    """A header named like a credential is one, whatever its value looks like; a redacted one is none."""
    (problem,) = raw(tmp_path, request={"headers": {name: ["hunter2"]}})
    assert (problem.what, problem.kind) == (f"header {name}", "credential")
    assert "hunter2" not in repr(problem)
    assert raw(tmp_path, request={"headers": {name: ["REDACTED"]}}) == []


def test_answers_set_cookies(tmp_path: Path) -> None:
    """Headers of the response are looked at, too."""
    (problem,) = raw(tmp_path, response={"headers": {"Set-Cookie": ["a=b"]}})
    assert (problem.where, problem.what) == ("interaction 1, response headers", "header Set-Cookie")


def test_urls_hold_credentials(tmp_path: Path) -> None:
    """A user in the URL and a value of a key-like parameter."""
    found = raw(tmp_path, request={"uri": "https://me:hunter2@a.example/?api_key=hunter2&token=REDACTED&q=1"})
    assert [problem.what for problem in found] == ["user or password", "a value of parameter api_key"]


def test_bodies_have_keys_named_like_credentials(tmp_path: Path) -> None:
    """``password`` in JSON, however short; a tool's ``key`` is nothing."""
    found = raw(tmp_path, request={"body": json.dumps({"a": {"password": "hunter2", "key": "name"}})})
    assert [problem.where for problem in found] == ["interaction 1, request body.a.password"]


def test_values_in_the_place_of_names_are_not_printed(tmp_path: Path) -> None:
    """A key of JSON, or a header's name, can be personal data itself."""
    found = raw(tmp_path, request={"body": json.dumps({MAIL: {MAIL: MAIL}}), "headers": {MAIL: [MAIL]}})
    assert found
    assert MAIL not in repr([(problem.where, problem.what) for problem in found])


def test_a_cassette_says_what_it_is(tmp_path: Path) -> None:
    """Without metadata, without a kind, or with an unknown one, that is the problem."""
    for content in (
        "interactions: []\n",
        "guardrails: {}\ninteractions: []\n",
        "guardrails: {kind: x}\ninteractions: []",
    ):
        path = tmp_path / "x.yaml"
        path.write_text(content)
        (problem,) = lint(path)
        assert (problem.where, problem.kind) == ("metadata", "metadata")


def test_metadata_are_looked_through(tmp_path: Path, made: Any) -> None:
    """A note can hold a name as well."""
    (problem,) = problems(tmp_path, made(), metadata=Metadata("synthetic", note=f"from {MAIL}"))
    assert problem.where == "metadata.note"


def test_what_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A damaged file, a damaged interaction and a part that was left over are told, not passed over."""
    (tmp_path / "a.yaml").write_text("interactions: [\n")
    (tmp_path / "b.jsonl").write_text('{"metadata": {"guardrails": {"kind": "recorded"}}}\n{"request": 5}\n')
    (tmp_path / "c.yaml.gw0.part").write_text("\n")
    (tmp_path / "d.guardrails.yaml").write_text("cases: []\n")
    (tmp_path / "e.txt").write_text(KEY)
    assert [(Path(p.file).name, p.line, p.kind) for p in lint(tmp_path)] == [
        ("a.yaml", 2, "format"),
        ("b.jsonl", 2, "format"),
        ("c.yaml.gw0.part", None, "format"),
    ]


def test_deep_bodies_are_told(tmp_path: Path) -> None:
    """What is too deep to be looked at is not passed over."""
    found = raw(tmp_path, request={"body": '{"a":' * 300 + '"x"' + "}" * 300})
    assert [problem.kind for problem in found] == ["format"]


def test_nothing_of_that_name_is_an_error(tmp_path: Path) -> None:
    """A path that is not there is not a clean one."""
    with pytest.raises(OSError, match="none"):
        lint(tmp_path / "none.yaml")
