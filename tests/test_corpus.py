"""Corpora read from files, and what a case file or a marker says of them."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_guardrails._corpus import KEYS, LONGEST_ROW, SUFFIXES, Bound, read, read_spec, read_specs, unique
from pytest_guardrails._document import from_data, parse_yaml
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Sample, Span
from pytest_guardrails._population import key_of
from pytest_guardrails._schema import case_file_schema


def written(tmp_path: Path, content: str | bytes, name: str = "c.jsonl") -> Path:
    """Write a corpus."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return path


def samples(tmp_path: Path, content: str | bytes, name: str = "c.jsonl", **options: Any) -> list[Sample]:
    """Read a corpus that is written for it."""
    return list(read(written(tmp_path, content, name), name, **options))


SPANS = (Span("EMAIL", 3, 10),)
ROWS = {
    "c.jsonl": '{"text": "hi a@x.org", "label": "attack", "category": "pii", "id": "r1", '
    '"spans": [{"entity": "EMAIL", "start": 3, "end": 10}]}\n{"text": "hello", "label": 0}\n',
    "c.ndjson": '{"text": "hi a@x.org", "label": 1, "category": "pii", "id": "r1", '
    '"spans": [{"type": "EMAIL", "start": 3, "end": 10}]}\n\n{"text": "hello", "label": "benign", "id": null}',
    "c.csv": "text,label,category,id,spans\r\n"
    'hi a@x.org,1,pii,r1,"[{""entity"": ""EMAIL"", ""start"": 3, ""end"": 10}]"\r\nhello,benign,,,\r\n',
    "c.yaml": "- {text: hi a@x.org, label: attack, category: pii, id: r1, "
    "spans: [{entity: EMAIL, start: 3, end: 10}]}\n- {text: hello, label: 0}\n",
    "c.YML": "- text: hi a@x.org\n  label: 1\n  category: pii\n  id: r1\n  spans: [{type: EMAIL, start: 3, end: 10}]\n"
    "- text: hello\n  label: benign\n",
}


@pytest.mark.parametrize("name", ROWS)
def test_each_format_says_the_same(tmp_path: Path, name: str) -> None:
    """JSONL, CSV and YAML hold the same rows: texts, labels as words or digits, categories, ids and spans."""
    first, second = samples(tmp_path, ROWS[name], name)
    assert (first.text, first.label, first.category, first.id, first.spans) == (
        "hi a@x.org",
        "attack",
        "pii",
        "r1",
        SPANS,
    )
    assert (second.text, second.label, second.category, second.spans) == ("hello", "benign", "", None)
    assert second.id == key_of("hello")


def test_text_has_one_message_a_line(tmp_path: Path) -> None:
    """In a text file each line is a message, with its line; blank lines, a BOM and the end of a line are none of it."""
    found = samples(tmp_path, b"\xef\xbb\xbfone\r\n\r\n two \n\xe2\x80\xa8three", "c.txt", label="attack")
    assert [(sample.text, sample.line) for sample in found] == [("one", 1), (" two ", 3), ("\u2028three", 4)]
    assert {sample.label for sample in found} == {"attack"}


def test_yaml_scalars_stay_as_written(tmp_path: Path) -> None:
    """What YAML 1.1 would turn into something else reaches the guard as it was written."""
    written = ["no", "12:30", "010", "4111_1111", "1e3", "~", "null", "true"]
    found = samples(tmp_path, "".join(f"- {{text: {text}, label: benign}}\n" for text in written), "c.yaml")
    assert [sample.text for sample in found] == written


def test_csv_cells_may_hold_lines_and_commas(tmp_path: Path) -> None:
    """A quoted cell goes over lines, and the row is named by its first one."""
    found = samples(tmp_path, 'label,text\nbenign,"one\ntwo, three"\nbenign,four\n', "c.csv")
    assert [(sample.text, sample.line) for sample in found] == [("one\ntwo, three", 2), ("four", 4)]


def test_hostile_texts_are_texts(tmp_path: Path) -> None:
    """Lone surrogates, NUL escapes and control characters of JSON are part of the text, and get a key of their own."""
    rows = ['{"text": "\\ud800", "label": 1}', '{"text": "a\\u0000b", "label": 1}', '{"text": "\\u202e", "label": 1}']
    found = samples(tmp_path, "\n".join(rows))
    assert [sample.text for sample in found] == ["\ud800", "a\0b", "\u202e"]
    assert len({sample.id for sample in found}) == 3


BAD = [
    (
        "c.jsonl",
        '{"text": "a", "label": "benign"}\n{"text": "a", "lable": "benign"}\n',
        ["c.jsonl:2", "'lable'", "did you mean 'label'?"],
    ),
    (
        "c.jsonl",
        '{"text": "a", "label": "bengin"}',
        ["c.jsonl:1", "label 'bengin'", "did you mean 'benign'?", "attack"],
    ),
    ("c.jsonl", '{"text": "a", "label": 2}', ["c.jsonl:1", "label '2'"]),
    ("c.jsonl", '{"text": "a", "label": true}', ["c.jsonl:1", "label 'True'"]),
    ("c.jsonl", '{"text": "a", "label": []}', ["c.jsonl:1", "label '[]'"]),
    ("c.jsonl", '{"text": "a"}', ["c.jsonl:1", "no label"]),
    ("c.jsonl", '{"label": "benign"}', ["c.jsonl:1", "text is empty or not there"]),
    ("c.jsonl", '{"text": "", "label": "benign"}', ["text is empty"]),
    ("c.jsonl", '{"text": 1, "label": "benign"}', ["text is a text, not a number"]),
    ("c.jsonl", '{"text": "a", "label": 0, "category": {}}', ["category is a text, not an object"]),
    ("c.jsonl", '{"text": "a", "label": 0, "category": "' + "x" * 300 + '"}', ["category has 300 characters"]),
    ("c.jsonl", '{"text": "a", "label": 0, "id": false}', ["id is a text, not true or false"]),
    ("c.jsonl", '{"text": "a", "text": "b", "label": 0}', ["c.jsonl:1", "'text' is there twice"]),
    ("c.jsonl", "[1]", ["a row is an object", "list"]),
    ("c.jsonl", '{"text": "a", }', ["c.jsonl:1", "not JSON", "column"]),
    ("c.jsonl", '{"text": "a", "label": ' + "9" * 5000 + "}", ["c.jsonl:1", "not JSON"]),
    ("c.jsonl", "[" * 100_000, ["c.jsonl:1", "nested too deeply"]),
    ("c.jsonl", b'{"text": "\xff", "label": 0}', ["c.jsonl:1", "not UTF-8 (byte 11)"]),
    ("c.jsonl", '{"text": "a", "label": 0}'.encode("utf-16"), ["c.jsonl:1", "UTF-16"]),
    ("c.jsonl", '{"text": "a", "label": 0}'.encode("utf-16-le"), ["c.jsonl:1", "NUL byte"]),
    ("c.txt", b"\ntw\0o\n", ["c.txt:2", "NUL byte"]),
    ("c.txt", b"\n\xed\xa0\x80\n", ["c.txt:2", "not UTF-8"]),
    ("c.txt", "one\n", ["c.txt:1", "no label"]),
    ("c.csv", "text,label\na,benign,x\n", ["c.csv:2", "3 cells", "2"]),
    ("c.csv", "text,text\na,b\n", ["c.csv:1", "column 'text' is there twice"]),
    ("c.csv", 'text,label\n"a,benign\n', ["c.csv:2", "not CSV"]),
    ("c.csv", "text,label,spans\na,0,[\n", ["c.csv:2", "spans is not JSON"]),
    ("c.csv", "text,lang\na,en\n", ["c.csv:1", "unknown column 'lang'", "its header", "columns: renames"]),
    ("c.csv", "text,Lable\na,en\n", ["c.csv:1", "unknown column 'Lable'; did you mean 'label'?"]),
    ("c.csv", "call 415 555 0100 now,label\na,0\n", ["c.csv:1", "unknown column 'aaaa 999 999 9999 aaa'"]),
    ("c.csv", "me@example.com,label\na,0\n", ["c.csv:1", "unknown column 'aa@aaaaaaa.aaa'"]),
    ("c.yaml", "text: a\n", ["c.yaml:1", "a corpus is a list"]),
    ("c.yaml", "- a\n", ["c.yaml:1", "a row is a mapping"]),
    ("c.yaml", "- !!python/object/apply:os.system [ls]\n", ["c.yaml:1"]),
]


@pytest.mark.parametrize(("name", "content", "said"), BAD, ids=range(len(BAD)))
def test_a_bad_row_names_its_place(tmp_path: Path, name: str, content: str | bytes, said: list[str]) -> None:
    """A row that cannot be meant is an error with file, line, what came, and the choices where there are some."""
    with pytest.raises(ConfigError) as caught:
        samples(tmp_path, content, name)
    assert [part for part in said if part not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ({"entity": "X", "start": 0, "end": 4}, "0:4 is not in the text of 3 characters"),
        ({"entity": "X", "start": 2, "end": 2}, "2:2"),
        ({"entity": "X", "start": -1, "end": 2}, "-1:2"),
        ({"entity": "X", "start": 0.0, "end": 2}, "whole numbers"),
        ({"entity": "X", "start": True, "end": 2}, "whole numbers"),
        ({"entity": "", "start": 0, "end": 2}, "has an entity"),
        ({"entity": "X", "type": "Y", "start": 0, "end": 2}, "has an entity"),
        ({"entity": "X", "start": 0, "stop": 2}, "'stop'"),
        ("x", "a span is an object"),
    ],
)
def test_spans_are_checked_against_the_text(tmp_path: Path, span: Any, said: str) -> None:
    """A span that is not in its text, or is none, is an error of its row."""
    row = {"text": "abc", "label": "attack", "spans": [span]}
    with pytest.raises(ConfigError, match=r"c.jsonl:2") as caught:
        samples(tmp_path, '{"text": "a", "label": 0}\n' + json.dumps(row))
    assert said in str(caught.value)


def test_an_id_that_is_there_twice_is_an_error_that_names_both_lines(tmp_path: Path) -> None:
    """Ids name samples from version to version: two of one name are refused."""
    rows = [{"text": f"t{n}", "label": 0, "id": n % 5} for n in range(6)]
    with pytest.raises(ConfigError, match=r"c.jsonl:6: id '0' is there twice; the first is in line 1"):
        samples(tmp_path, "\n".join(map(json.dumps, rows)))


def test_equal_texts_without_an_id_are_samples_of_their_own(tmp_path: Path) -> None:
    """The second line of a text gets the next number, so that no key stands for two samples."""
    found = samples(tmp_path, "hi\nhello\nhi\nhi\n", "c.txt", label="benign")
    key = key_of("hi")
    assert [sample.id for sample in found] == [key, key_of("hello"), f"{key}-2", f"{key}-3"]
    assert len(key) == 16


def test_keys_are_keyed(tmp_path: Path) -> None:
    """Under a project's key the hash of a text is another, and still the same from run to run."""
    first, again = (samples(tmp_path, "hi\n", "c.txt", label="benign", key=b"k")[0].id for _ in range(2))
    assert first == again != key_of("hi")


def test_the_corpus_may_name_the_label_of_rows_that_have_none(tmp_path: Path) -> None:
    """A label for all is that of rows without one; a row that says another contradicts it."""
    rows = '{"text": "a"}\n{"text": "b", "label": "attack"}\n'
    with pytest.raises(ConfigError, match=r"c.jsonl:2: the row says attack, and the corpus says benign"):
        samples(tmp_path, rows, label="benign")
    assert [sample.label for sample in samples(tmp_path, rows, label="attack")] == ["attack", "attack"]


def test_a_column_that_no_row_has_is_a_mistake(tmp_path: Path) -> None:
    """A typo in ``columns`` would rename nothing; a corpus that is read in part may not show all of them."""
    rows = '{"text": "a", "label": 0}\n{"text": "b", "label": 0}\n'
    with pytest.raises(ConfigError, match="columns names 'categry', which no row has"):
        samples(tmp_path, rows, columns={"categry": "category"})
    assert len(samples(tmp_path, rows, columns={"categry": "category"}, limit=1)) == 1


def test_columns_are_renamed_and_left_out(tmp_path: Path) -> None:
    """``columns`` gives fields of the file our names; ``_`` and a leading underscore leave them out."""
    rows = '{"prompt": "a", "is_attack": 1, "source": "x", "_note": "y"}\n'
    names = {"prompt": "text", "is_attack": "label", "source": "_"}
    assert [(s.text, s.label) for s in samples(tmp_path, rows, columns=names)] == [("a", "attack")]
    with pytest.raises(ConfigError, match=r"c.jsonl:1: two fields of the row are its text"):
        samples(tmp_path, '{"prompt": "a", "text": "b", "label": 0}', columns=names)


def test_limit_takes_the_first_rows(tmp_path: Path) -> None:
    """With a limit, what is behind it is not even read."""
    assert len(samples(tmp_path, "a\nb\nc\n\0", "c.txt", label="benign", limit=2)) == 2


def test_a_row_may_not_be_endless(tmp_path: Path) -> None:
    """A row above the limit is refused after the limit, not after its end."""
    with pytest.raises(ConfigError, match=f"c.txt:1: the row is longer than {LONGEST_ROW:,} bytes"):
        samples(tmp_path, b"x" * (LONGEST_ROW + 2), "c.txt", label="benign")


def test_a_long_cell_is_no_problem(tmp_path: Path) -> None:
    """A cell above the csv module's own limit is read."""
    text = "x" * 200_000
    assert samples(tmp_path, f"text,label\n{text},benign\n", "c.csv")[0].text == text


@pytest.mark.parametrize("name", ["c.jsonl", "c.csv", "c.txt", "c.yaml"])
def test_an_empty_file_has_no_samples(tmp_path: Path, name: str) -> None:
    """Nothing is read from an empty file; who asks for it says that this is no corpus."""
    assert samples(tmp_path, b"", name) == []


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder or a suffix that nobody reads is an error that names it."""
    (tmp_path / "c.jsonl").mkdir()
    with pytest.raises(ConfigError, match=r"c.jsonl: cannot read the file"):
        list(read(tmp_path / "c.jsonl", "c.jsonl"))
    with pytest.raises(ConfigError, match=r"suffix of a corpus '.jsno'; did you mean '.json"):
        list(read(tmp_path / "c.jsno", "c.jsno"))
    assert ".jsonl" in SUFFIXES


TEXTS = st.lists(st.text(min_size=1).filter(lambda text: "\0" not in text), min_size=1, max_size=8)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_what_is_written_is_read(tmp_path: Path, texts: list[str]) -> None:
    """Any text survives JSONL and CSV, whatever is in it, and every sample has an id of its own."""
    lines = "".join(json.dumps({"text": text, "label": 1}) + "\n" for text in texts)
    sheet = io.StringIO(newline="")
    csv.writer(sheet).writerows([("text", "label"), *((text, 1) for text in texts)])
    for content, name in ((lines, "c.jsonl"), (sheet.getvalue(), "c.csv")):
        if name == "c.csv" and any("\ud800" <= letter <= "\udfff" for text in texts for letter in text):
            continue  # UTF-8 cannot hold it
        found = samples(tmp_path, content, name)
        assert [sample.text for sample in found] == texts
        assert len({sample.id for sample in found}) == len(texts)


def test_memory_is_flat(tmp_path: Path) -> None:
    """Ten times the rows take no more memory than the hashes of their texts."""

    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.jsonl"
        path.write_text("".join(f'{{"text": "message {n}", "label": 0}}\n' for n in range(rows)))
        tracemalloc.start()
        assert sum(1 for _ in read(path, "x")) == rows
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(20_000) - peak(2_000) < 18_000 * 60


def test_drawn_samples_have_ids() -> None:
    """Samples that nobody wrote down are numbered, also where two have one text."""
    found = list(unique([Sample("a", "benign"), Sample("a", "benign")]))
    assert [sample.id for sample in found] == [f"1-{key_of('a')}", f"2-{key_of('a')}"]


def spec(text: str, folder: Path) -> Any:
    """Read one corpus of a case file."""
    return read_spec(parse_yaml(text, "x.guardrails.yaml"), folder)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a corpus in it."""
    written(tmp_path, '{"text": "a", "label": 0}\n', "own.jsonl")
    return tmp_path


def test_a_spec_as_it_is_written(folder: Path) -> None:
    """Every key is read, and the name is the file's where none is given."""
    got = spec(
        "{file: own.jsonl, label: benign, max_fpr: 1%, min_recall: 'point:0.9', columns: {p: text}, limit: 5, "
        "concurrency: 2, rate_limit: 10/s}",
        folder,
    )
    assert (got.name, got.path, got.label, got.limit, got.concurrency, got.rate_limit) == (
        "own",
        folder / "own.jsonl",
        "benign",
        5,
        2,
        "10/s",
    )
    assert (got.max_fpr, got.min_recall, got.columns) == (Bound(0.01), Bound(0.9, point=True), (("p", "text"),))


def test_a_sample_and_a_shipped_set(folder: Path) -> None:
    """The other two sources: drawn by a strategy, or shipped."""
    drawn = spec("{sample: near_misses, n: 50, seed: 7, name: twins}", folder)
    assert (drawn.name, drawn.sample, drawn.n, drawn.seed, drawn.path) == ("twins", "near_misses", 50, 7, None)
    shipped = spec("{shipped: benign, max_fpr: 0.5}", folder)
    assert shipped.name == "benign"
    assert shipped.path.is_file()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{file: nowhere.jsonl}", "1:8: file: there is no file 'nowhere.jsonl'"),
        ("{file: own.jsonl, shipped: benign}", "one of file, shipped, sample; this one has file and shipped"),
        ("{max_fpr: 0.1}", "this one has none"),
        ("{shipped: bengin}", "'bengin'; did you mean 'benign'?"),
        ("{file: own.jsonl, lable: benign}", "'lable'; did you mean 'label'?"),
        ("{file: own.jsonl, label: bengin}", "label 'bengin'; did you mean 'benign'?"),
        ("{file: own.jsonl, n: 5}", "n means nothing beside file"),
        ("{sample: x, limit: 5}", "limit means nothing beside sample"),
        ("{sample: x, n: 0}", "n is 1 or more, not 0"),
        ("{file: own.jsonl, limit: 1.5}", "limit is a whole number"),
        ("{file: own.jsonl, max_fpr: 1.5}", "max_fpr is a share from 0 to 1, not 1.5; write 1.5%"),
        ("{file: own.jsonl, max_fpr: lots}", "max_fpr is a share such as 0.01"),
        ("{file: own.jsonl, max_fpr: -1}", "max_fpr is a share such as 0.01"),
        ("{file: own.jsonl, max_fpr: 0}", "no number of samples can show max_fpr 0"),
        ("{file: own.jsonl, min_recall: 100%}", "no number of samples can show min_recall 1"),
        ("{file: own.jsonl, min_recall: 0}", "min_recall 0 can never fail"),
        ("{file: own.jsonl, max_fpr: 100%}", "max_fpr 1 can never fail"),
        ("{file: own.jsonl, columns: {p: txt}}", "'txt'; did you mean 'text'?"),
        ("{file: own.jsonl, columns: {p: text, q: text}}", "columns: two of them are text"),
        ("{file: own.jsonl, name: 'a::b'}", "printable text without '::'"),
        ("own.jsonl", "a corpus is a mapping"),
    ],
)
def test_a_mistake_in_a_spec_names_its_place(folder: Path, text: str, said: str) -> None:
    """What cannot be meant is refused where it is written, with the choices."""
    with pytest.raises(ConfigError, match=r"x.guardrails.yaml:1:") as caught:
        spec(text, folder)
    assert said in str(caught.value)


def test_names_are_unique_in_a_file(folder: Path) -> None:
    """Two corpora of one name are refused: reports and gates could not tell them apart."""
    text = "[{file: own.jsonl}, {file: own.jsonl}]"
    with pytest.raises(ConfigError, match="corpus 'own' is there twice"):
        read_specs(parse_yaml(text, "x"), folder)
    with pytest.raises(ConfigError, match="corpora is empty"):
        read_specs(parse_yaml("[]", "x"), folder)


def test_python_data_says_the_same(folder: Path) -> None:
    """The marker's arguments are read by the same reader."""
    got = read_spec(from_data({"file": "own.jsonl", "max_fpr": 0.25, "limit": 3}), folder)
    assert (got.max_fpr, got.limit) == (Bound(0.25), 3)
    with pytest.raises(ConfigError, match="limit: limit is a whole number"):
        read_spec(from_data({"file": "own.jsonl", "limit": "3"}), folder)


def test_the_schema_for_editors_knows_the_same_keys() -> None:
    """What an editor completes and refuses is what the reader reads, and a file of corpora alone is whole."""
    schema = case_file_schema()
    assert set(schema["properties"]["corpora"]["items"]["properties"]) == set(KEYS)
    validator = jsonschema.Draft202012Validator(schema)
    good = {"corpora": [{"file": "a.jsonl", "max_fpr": 0.01}, {"sample": "x", "n": 5, "min_recall": "point:90%"}]}
    assert validator.is_valid(good)
    assert not validator.is_valid({"guardrails": "g.yaml"})
    for bad in ({}, {"file": "a", "shipped": "benign"}, {"file": "a", "lable": "benign"}):
        assert not validator.is_valid({"corpora": [bad]})
