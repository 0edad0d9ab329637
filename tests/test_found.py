"""Found cases as text, and appended to a case file: whatever the text is, it reads back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import Action, ConfigError, Expectation, Request, Verdict
from pytest_guardrails._cases import read
from pytest_guardrails._found._case import found, identity, pasted
from pytest_guardrails._found._file import append, write
from pytest_guardrails._model import Case, Trace

quick = settings(max_examples=30, database=None)
texts = st.text(max_size=30) | st.text(
    st.sampled_from("\x00\x07\x1b\x85\u2028\ufeff\u202e\"\\${}:#-\n\r\t '"), max_size=8
)
expectations = st.sampled_from(
    [Expectation(Verdict.ALLOW, action=Action.NONE), Expectation(Verdict.BLOCK), Expectation(Verdict.ALLOW, by="a: b")]
)
HAND_WRITTEN = "# ours\ncases:\n    - id: one  # kept\n      input: a\n      expect: allow\n"


def case_of(text: str, expectation: Expectation, answer: object = None) -> Case:
    """Return what was found on a text."""
    trace = Trace(Request.of(text), Verdict.ALLOW, Action.NONE, None, ())
    return found(Case("", Request.of("-"), expectation), trace, answer, test="test_x", place="test_it.py::test_x")


@quick
@given(texts, expectations, st.none() | texts)
def test_what_is_printed_reads_back(text: str, expectation: Expectation, answer: str | None) -> None:
    """Any text is written so that our reader takes it back, on lines that a terminal shows as they are."""
    case = case_of(text, expectation, answer)
    (back,) = read(pasted(case), "pasted").cases
    assert identity(back) == (Request.of(text), None if answer is None else (answer,))
    assert (back.expectation, back.truth, back.id) == (expectation, case.truth, case.id)
    assert all(line.isprintable() for line in pasted(case).split("\n"))


@quick
@given(st.lists(st.tuples(texts, expectations), min_size=1, max_size=4))
def test_what_is_appended_reads_back(found_texts: list[tuple[str, Expectation]]) -> None:
    """After what is there come the new cases, each input once; appending them again changes nothing."""
    cases = [case_of(*one) for one in found_texts]
    written, new = append(HAND_WRITTEN, cases, "x")
    assert written.startswith(HAND_WRITTEN)
    wanted = list(dict.fromkeys(case.request.text for case in cases if case.request.text != "a"))
    assert [case.request.text for case in read(written, "x").cases] == ["a", *wanted]
    assert [case.request.text for case in new] == wanted
    assert append(written, cases, "x") == (written, ())


def test_an_id_that_is_taken_is_counted_on() -> None:
    """Two inputs never share an id."""
    case = case_of("b", Expectation(Verdict.BLOCK))
    written, (new,) = append(HAND_WRITTEN.replace("id: one", f"id: {case.id}"), [case], "x")
    assert new.id == f"{case.id}-2"
    assert len(read(written, "x").cases) == 2


def test_a_lone_surrogate_is_no_case() -> None:
    """YAML cannot hold one: the text says so."""
    assert pasted(case_of("\ud83d", Expectation(Verdict.BLOCK))).startswith("# no case: a lone surrogate (U+D83D)")


def test_a_fault_is_part_of_the_case() -> None:
    """How the guard's API failed is written down with the rest."""
    case = Case("a", Request.of("x"), Expectation(Verdict.BLOCK, errors=True), fault="read_timeout")
    assert read(pasted(case), "x").cases[0].fault == "read_timeout"
    late = Case("a", Request.of("x"), Expectation(Verdict.BLOCK, errors=True), fault="http_503", fault_on_call=2)
    assert (back := read(pasted(late), "x").cases[0]).fault == "http_503"
    assert back.fault_on_call == 2


@pytest.mark.parametrize("text", ["cases: []\n", "a: 1\n", "cases:\n- {id: a, input: x, expect: allow}\n...\n"])
def test_what_is_no_list_at_the_end_is_refused(text: str) -> None:
    """A file to which a case cannot be appended is an error with its name."""
    with pytest.raises(ConfigError, match=r"^x"):
        append(text, [case_of("b", Expectation(Verdict.BLOCK))], "x")


def test_a_link_keeps_pointing_to_its_file(tmp_path: object) -> None:
    """What a link points to is written, and the link stays."""
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "real.yaml").write_text("old")
    (folder / "link.yaml").symlink_to("real.yaml")
    write(folder / "link.yaml", "new")
    assert (folder / "link.yaml").is_symlink()
    assert (folder / "real.yaml").read_text() == "new"
