"""Documents: scalars stay as written, every node knows its place, and hostile files cost little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import ConfigError
from pytest_guardrails import _cases as cases
from pytest_guardrails import _config as config
from pytest_guardrails._document import Node, from_data, parse_json, parse_yaml

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def value_of(text: str) -> Node:
    """Return the node behind the key ``a`` of a YAML text."""
    return parse_yaml(text, "f.yaml").value["a"]


def refusal(text: str, parse: object = parse_yaml) -> ConfigError:
    """Return the error that a text is refused with."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "f")
    return caught.value


@pytest.mark.parametrize(
    "written",
    [
        "no",
        "yes",
        "on",
        "12:30",
        "010",
        "4111_1111_1111_1111",
        "2026-11-21",
        "1e3",
        "0x1F",
        "1.10",
        "~",
        "null",
        "=",
        "<<",
    ],
)
def test_an_unquoted_scalar_is_the_text_that_was_written(written: str) -> None:
    """A plain scalar keeps its characters, whatever YAML 1.1 would make of them."""
    node = value_of(f"a: {written}\n")
    assert (node.value, node.plain, node.text("x")) == (written, True, written)


@pytest.mark.parametrize(
    "written", ["no", "12:30", "010", "1_000", "2026-11-21", "yes", "0x1F", ".5", "+1.", "1e", "True"]
)
def test_data_reads_as_json_does(written: str) -> None:
    """What JSON would not call a number, a boolean or null stays a text as data, too."""
    assert value_of(f"a: {written}\n").data() == written


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("5", 5),
        ("-3", -3),
        ("1e3", 1000.0),
        ("0.5", 0.5),
    ],
)
def test_data_reads_json_words_and_numbers(written: str, value: object) -> None:
    """An unquoted JSON word or number is that value as data."""
    read = value_of(f"a: {written}\n").data()
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quoted_scalar_is_never_a_number_or_a_word(quote: str) -> None:
    """Quotes make a text of 5, true and null, for data and for every reader."""
    for written in ("5", "true", "null", ""):
        node = value_of(f"a: {quote}{written}{quote}\n")
        assert node.data() == written
        assert node.text("x") == written
        for reader in (node.boolean, node.integer, node.number):
            with pytest.raises(ConfigError, match=r"f\.yaml:1:4: x is "):
                reader("x")


def test_block_scalars_keep_their_newlines() -> None:
    """A literal block is a text that is not plain, with its newlines."""
    node = value_of("a: |\n  one\n  two\n")
    assert (node.value, node.plain) == ("one\ntwo\n", False)


@pytest.mark.parametrize(
    ("text", "line", "column", "first"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, 1),
        ("a:\n  - 1\nb: 2\na: 3\n", 4, 1, 1),
        ("x:\n  k: 1\n  'k': 2\n", 3, 3, 2),
        ("{k: 1, k: 2}", 1, 8, 1),
    ],
)
def test_a_repeated_key_is_refused_with_both_lines(text: str, line: int, column: int, first: int) -> None:
    """The second of two equal keys is the place of the error, and the text names the line of the first."""
    error = refusal(text)
    assert (error.line, error.column) == (line, column)
    assert "is there twice" in str(error)
    assert f"the first is in line {first}" in str(error)


@pytest.mark.parametrize("tag", ["!!binary", "!!python/object/apply:os.system", "!mine", "!!set", "!!timestmp"])
def test_unknown_tags_are_refused_by_name(tag: str) -> None:
    """A tag that asks for more than a scalar is refused, never constructed."""
    error = refusal(f"a: {tag} x\n")
    assert "tags such as" in str(error)
    assert error.line == 1


def test_an_alias_is_the_value_of_its_anchor() -> None:
    """An alias reads as what its anchor holds."""
    node = parse_yaml("a: &x {k: [1, 2]}\nb: *x\nc: *x\n", "f")
    assert node.data() == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": {"k": [1, 2]}}


@pytest.mark.parametrize("text", ["a: &x [*x]\n", "a: &x {k: *x}\n", "&r\na: [1, *r]\n"])
def test_an_alias_that_contains_itself_is_refused(text: str) -> None:
    """A recursive alias is an error with a place, not an endless walk."""
    error = refusal(text)
    assert "an alias that contains itself" in str(error)
    assert error.line is not None


def test_aliases_that_expand_endlessly_are_refused() -> None:
    """Nine levels of nine aliases are refused without being expanded."""
    levels = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "aliases expand to more than 5,000,000 values" in str(refusal("\n".join(levels)))


DEPTHS = {
    "flow list": "[" * 60_000,
    "flow mapping": "{a: " * 60_000,
    "block list": "- " * 60_000,
    "explicit keys": "? " * 60_000,
    "closers in double quotes": '["]",' * 60_000,
    "closers in single quotes": "['}'," * 60_000,
    "closers in comments": "[ # ]\n" * 60_000,
    "after a carriage return": "\r" + "- " * 60_000,
    "after a next-line character": "a:\x85" + "- " * 60_000,
    "after a byte order mark": "\ufeff" + "- " * 60_000,
}


@pytest.mark.parametrize("shape", DEPTHS)
def test_no_nesting_can_end_the_process(shape: str) -> None:
    """However a deep nesting is hidden, libyaml's recursive composer never sees it: the file is refused."""
    program = (
        "import sys\nfrom pytest_guardrails._document import parse_yaml\nfrom pytest_guardrails import ConfigError\n"
        "try:\n    parse_yaml(sys.stdin.buffer.read().decode(), 'f')\nexcept ConfigError as exc:\n    print(exc)\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], input=DEPTHS[shape].encode(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert "nested more than 100 deep" in done.stdout.decode()


@pytest.mark.parametrize("parse", [parse_yaml, parse_json])
def test_a_hundred_levels_are_read_and_more_are_not(parse: object) -> None:
    """The limit stands at 100 flow collections inside each other."""
    assert parse("[" * 100 + "]" * 100, "f").value
    assert "nested more than 100 deep" in str(refusal("[" * 101 + "]" * 101, parse))


def test_many_shallow_collections_are_no_deep_ones() -> None:
    """A long file is read whatever the number of its brackets and dashes."""
    node = parse_yaml("a:\n" + '  - {k: ["]", "x"]}\n' * 3000 + "# " + "-" * 500 + "\n", "f")
    assert len(node.value["a"].value) == 3000


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: b: c", (1, 5), "mapping values are not allowed"),
        ("a: [1, 2\n", (2, 1), "expected"),
        ("a: *nope", (1, 4), "undefined alias"),
        ("--- a\n--- b\n", (2, 1), "another document"),
        ("a: \x00", (None, None), "not allowed"),
        ("? [a]\n: b\n", (1, 3), "a key is a text"),
        ('a: "\\ud83d"', (1, 7), "Unicode"),
    ],
)
def test_what_is_no_yaml_is_refused_at_its_place(text: str, place: tuple[int | None, int | None], said: str) -> None:
    """A syntax error is a ConfigError, with line and column where the parser knows them."""
    error = refusal(text)
    assert said in str(error)
    assert (error.line, error.column) == place


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_document_is_nothing(text: str) -> None:
    """A file without a value is an empty node with a place, and no reader takes it for anything."""
    node = parse_yaml(text, "f")
    assert node.is_empty
    assert node.data() is None
    for reader in (node.mapping, node.items):
        with pytest.raises(ConfigError, match=r"^f:\d+:\d+: x is a (mapping|list), not nothing"):
            reader("x")


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a": "\\/\\b\\f\\n\\r\\t\\u0041\\\\\\""}', {"a": '/\b\f\n\r\tA\\"'}),
        ('\t{\t"a"\t:\t"x\\ty"\t}\t', {"a": "x\ty"}),
        ('{"a":1,"b":[true,false,null],"c":{}}', {"a": 1, "b": [True, False, None], "c": {}}),
        ('{"a":"\u2028 \u00e9 😀"}', {"a": "\u2028 \u00e9 😀"}),
        ('{"a": "no", "b": "5", "c": -0.5e+2, "d": 1E3}', {"a": "no", "b": "5", "c": -50.0, "d": 1000.0}),
        ('{\r\n"a":\r\n[]}', {"a": []}),
        ('{"a": "--- # : {"}', {"a": "--- # : {"}),
    ],
)
def test_json_reads_as_json(text: str, data: object) -> None:
    """Tabs, escapes, surrogate pairs and compact forms of JSON read as json reads them."""
    assert parse_json(text, "f.json").data() == data


@given(JSON_VALUES)
def test_every_json_value_survives_as_python_data(value: object) -> None:
    """Python data wrapped as nodes reads back as the same data."""
    assert from_data(value).data() == value


@pytest.mark.parametrize(
    ("text", "place"),
    [('{"a": 1,\n "a": 2}', (2, 2)), ('{"ab": 1, "a\\u0062": 2}', (1, 11)), ('{"x": {"k": 1, "k": 1}}', (1, 16))],
)
def test_a_repeated_json_key_is_refused_even_if_spelled_otherwise(text: str, place: tuple[int, int]) -> None:
    """Keys are compared after their escapes are read, and the second one is the place."""
    error = refusal(text, parse_json)
    assert (error.line, error.column) == place
    assert "is there twice; the first is in line 1" in str(error)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (1, 1)),
        ('{"a": 1 b}', (1, 9)),
        ("{'a': 1}", (1, 2)),
        ('{"a": 1}\n{', (2, 1)),
        ('{"a": "x\ty"}', (1, 9)),
        ("a: 1", (1, 1)),
    ],
)
def test_what_yaml_forgives_json_does_not(text: str, place: tuple[int, int]) -> None:
    """Only JSON is JSON: a YAML form of it is refused with line and column."""
    error = refusal(text, parse_json)
    assert str(error).startswith(f"f:{place[0]}:{place[1]}: not JSON: ")


@pytest.mark.parametrize("load", [config.load, cases.load])
def test_a_file_that_is_no_utf_8_is_refused_by_name(load: object, tmp_path: Path) -> None:
    """Bytes that are not UTF-8 give a ConfigError that names the file."""
    path = tmp_path / "x.guardrails.yaml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        load(path)
    assert caught.value.file == str(path)


@pytest.mark.parametrize("load", [config.load, cases.load])
def test_a_file_that_cannot_be_read_is_refused_by_name(load: object, tmp_path: Path) -> None:
    """A missing file, or a folder, gives a ConfigError that names it."""
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot read") as caught:
            load(path)
        assert caught.value.file == str(path)


def test_an_endless_number_is_no_whole_number() -> None:
    """Digits that Python would refuse to read are a ConfigError in YAML, and no crash in JSON."""
    digits = "1" * 5000
    with pytest.raises(ConfigError, match="x is a whole number, not a text of 5,000 characters"):
        value_of(f"a: {digits}\n").integer("x")
    assert parse_json(f'{{"a": {digits}}}', "f").value["a"].text("x") == digits


@pytest.mark.parametrize(
    ("method", "good", "value", "bad"),
    [
        ("boolean", "true", True, ["yes", "True", "1", "'true'", "[]", ""]),
        ("integer", "-12", -12, ["1.0", "012", "1_0", "'1'", "{}", "0x1", ""]),
        ("number", "1.5e2", 150.0, [".5", "1.", "inf", ".nan", "'1'", "one", ""]),
        ("text", "12:30", "12:30", ["[a]", "{a: b}", ""]),
        ("texts", "[a, 'b']", ("a", "b"), ["{a: b}", "[[a]]", ""]),
    ],
)
def test_readers_take_their_kind_and_name_what_came(method: str, good: str, value: object, bad: list[str]) -> None:
    """Each reader returns its kind, and refuses every other with what it wanted and what came."""
    assert getattr(value_of(f"a: {good}\n"), method)("it") == value
    for written in bad:
        with pytest.raises(ConfigError, match=r"^f(\.yaml)?:1"):
            getattr(value_of(f"a: {written}\n"), method)("it")


@pytest.mark.parametrize("value", ["x" * 500, "jane@example.com", "two words", "4111-1111-1111-1111", "<b>"])
def test_a_message_shows_no_text_of_a_case(value: str) -> None:
    """What is more than a short word could be somebody's text: a message says how long it is."""
    with pytest.raises(ConfigError) as caught:
        value_of(f"a: '{value}'\n").boolean("it")
    assert f"not a text of {len(value)} characters" in str(caught.value)
    with pytest.raises(ConfigError, match="not 'perhaps'"):
        value_of("a: 'perhaps'\n").boolean("it")


def test_an_absent_value_stands_where_its_key_is() -> None:
    """A key with nothing behind it, or with a block below it, is the place of its value's errors."""
    node = parse_yaml("top:\n  empty:\n  block:\n    k: 1\n", "f").value["top"].value
    assert [(node[key].line, node[key].column) for key in ("empty", "block")] == [(2, 3), (3, 3)]


@pytest.mark.parametrize("value", [{1, 2}, object(), {"a": [b"x", {1}]}, {"k": 1j}])
def test_python_data_that_json_has_no_word_for_is_refused_with_its_path(value: object) -> None:
    """Sets, objects and complex numbers are nothing that a configuration can say."""
    with pytest.raises(ConfigError, match="nothing that a configuration can say"):
        from_data({"top": value})


def test_python_data_keeps_its_types() -> None:
    """A Python number is no text, and a Python text is no boolean."""
    assert from_data({"a": "true"}).value["a"].text("x") == "true"
    with pytest.raises(ConfigError, match="a: x is a text, not 5"):
        from_data({"a": 5}).value["a"].text("x")
    with pytest.raises(ConfigError, match="a: x is true or false, not 'true'"):
        from_data({"a": "true"}).value["a"].boolean("x")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{a: 1, b: x}", (1, 8)),
        ("a: 1\nb:   [x, y]\n", (2, 1)),
        ("a: 1\nb:\n  c: 1\n", (2, 1)),
        ("- {a: &x 1}\n- {b: *x}\n", (2, 4)),
        ("b: |\n  x\n", (1, 1)),
        ('{"a": 1,\n "b":\n   1}', (2, 2)),
    ],
)
def test_an_unknown_key_is_refused_where_it_stands(text: str, place: tuple[int, int]) -> None:
    """The place is that of the key and not of its value, on one line or several, in YAML and JSON."""
    for parse in (parse_yaml, parse_json) if text.startswith('{"') else (parse_yaml,):
        node = parse(text, "f")
        node = node.value[-1] if isinstance(node.value, list) else node
        with pytest.raises(ConfigError, match="unknown key in it 'b'") as caught:
            node.mapping("it", ["a"])
        assert (caught.value.line, caught.value.column) == place
