"""What a missing recording says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_guardrails._cassette._nearest import headline, nearest


def test_the_headline_says_how_to_record(made: Any) -> None:
    """Method and path, the cassette, the mode, and the option that records; nothing of the query."""
    request = made(url="https://a.example/gateway/v3/classify?user=somebody")
    assert headline(request, Path("c/x.yaml"), "none", exists=True) == (
        "no recording answers POST /gateway/v3/classify: cassette c/x.yaml has none (mode none); "
        "record it with --guardrails-record=new"
    )
    assert "which does not exist" in headline(request, Path("x.yaml"), "none", exists=False)
    assert "--guardrails-record=once" in headline(request, Path("x.yaml"), "none", exists=False)


def test_the_most_similar_request_is_shown(made: Any) -> None:
    """Among many, the one that differs by a word is found, and the word is shown."""
    recorded = [made(f"{word} is the capital of France") for word in ("who", "where", "what", "when")]
    shown = nearest(made("what is the capital of Spain"), recorded, str)
    assert '-      "content": "what is the capital of France"' in shown
    assert '+      "content": "what is the capital of Spain"' in shown


def test_another_type_of_message_is_shown(made: Any) -> None:
    """A field other than a text is compared, too, and volatile ones are not."""
    body = {"messages": [{"role": "user", "content": "hello"}], "messageType": "COMPLETION", "sessionId": "x"}
    shown = nearest(made(request_body=json.dumps(body).encode()), [made()], str)
    assert '-  "messageType": "PROMPT"' in shown
    assert "sessionId" not in shown


def test_texts_are_shown_through_the_hook(made: Any) -> None:
    """Texts can be masked; labels stay readable."""
    shown = nearest(made("my secret"), [made("a secret")], lambda text: f"<{len(text)}>")
    assert "secret" not in shown
    assert '"<9>"' in shown
    plain = nearest(made(request_body=b"my secret"), [made(request_body=b"a secret")], lambda text: f"<{len(text)}>")
    assert "secret" not in plain


def test_other_places_are_listed(made: Any) -> None:
    """Without a request to that URL, those that are there are counted."""
    other = made(url="https://a.example/gateway/v3/classifix")
    assert nearest(made(), [other, other], str) == "It has recordings of POST /gateway/v3/classifix (2)."
    assert nearest(made(), [], str) == "The cassette is empty."


def test_another_host_is_shown(made: Any) -> None:
    """A request that differs by its host alone differs in the first line."""
    shown = nearest(made(url="http://127.0.0.1:5/gateway/v3/classify"), [made()], str)
    assert "-POST https://lasso.example/gateway/v3/classify" in shown
    assert "+POST http://127.0.0.1:5/gateway/v3/classify" in shown


def test_what_is_shown_is_bounded(made: Any) -> None:
    """Endless bodies and endless differences are cut."""
    lines = [{"role": "user", "content": "x" * 10_000 + str(n)} for n in range(500)]
    huge = made(request_body=json.dumps({"messages": lines}).encode())
    shown = nearest(huge, [made(f"m{n}") for n in range(500)], str)
    assert len(shown.splitlines()) < 70
    assert max(map(len, shown.splitlines())) <= 201


def test_hostile_bodies_are_shown_as_text(made: Any) -> None:
    """Nesting without end and bytes are no error."""
    deep = made(request_body=b'{"a":' * 950 + b"1" + b"}" * 950)
    assert nearest(deep, [made(request_body=b"\xff\xfe")], str)
