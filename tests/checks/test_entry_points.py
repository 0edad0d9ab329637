"""Checks of other packages: found by entry point, imported when used, part of the version, refused with a reason."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_guardrails import ConfigError, Engine
from pytest_guardrails.checks import BUILT_IN, GROUP, factories

MODULE = '''
from dataclasses import dataclass
from typing import ClassVar, Literal
from pytest_guardrails import Finding

@dataclass(frozen=True)
class Shout:
    """Finds words in capitals of at least `least` letters."""

    least: int = 3
    mode: Literal["all", "first"] = "all"
    id: ClassVar[str] = "acme.shout"

    def __call__(self, texts):
        for text in texts:
            for word in text.text.split():
                if word.isupper() and len(word) >= self.least:
                    yield Finding("shout", "tone", message_index=text.message_index, field=text.field)

@dataclass(frozen=True)
class Rewrite:
    """Rewrites whole texts."""

    prefix: str
    id: ClassVar[str] = "acme.rewrite"
    rewrites: ClassVar[str] = "message"

    def __call__(self, texts):
        return [Finding("rewrite", "tone", message_index=text.message_index, field=text.field,
                        replacement=self.prefix + text.text) for text in texts]

class Careless:
    id = "acme.made"

    def __init__(self, parameters):
        self.parameters = parameters

    def __call__(self, texts):
        return []

def make(least=1):
    return Careless({"least": least})

def no_check():
    return "not a check"
'''
ENTRIES = {
    "acme.shout": "acme_checks:Shout",
    "acme.rewrite": "acme_checks:Rewrite",
    "acme.made": "acme_checks:make",
    "acme.wrong": "acme_checks:no_check",
    "acme.absent": "acme_checks:Nowhere",
    "acme.broken": "acme_broken:Check",
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that puts a package with entry points on the path; all are gone after the test."""

    def add(name: str, version: str, entries: dict[str, str]) -> None:
        site = tmp_path / name
        info = site / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
        lines = "".join(f"{entry} = {target}\n" for entry, target in entries.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}", encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))
        factories.cache_clear()

    yield add
    factories.cache_clear()
    for module in ("acme_checks", "acme_broken"):
        sys.modules.pop(module, None)


@pytest.fixture
def acme(install: Callable[..., None], tmp_path: Path) -> None:
    """Install the package acme 1.2, whose module is imported only when a check of it is used."""
    install("acme", "1.2", ENTRIES)
    (tmp_path / "acme" / "acme_checks.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "acme" / "acme_broken.py").write_text("raise RuntimeError('no licence')\n", encoding="utf-8")


@pytest.mark.usefixtures("acme")
def test_a_foreign_check_is_configured_like_any_other() -> None:
    """Its name works in every form, its parameters are typed by its signature, and it decides."""
    for entry in (
        {"id": "g", "deny": True, "checks": [{"id": "acme.shout", "parameters": {"least": 4}}]},
        {"id": "g", "deny": True, "acme.shout": {"least": 4}},
        {"id": "g", "deny": True, "x": {"id": "acme.shout", "least": 4}},
    ):
        engine = Engine.from_config({"input_guardrails": [entry]})
        assert [str(engine.run(said).verdict) for said in ("it is FINE", "it is BAD")] == ["block", "allow"]
    assert Engine.from_config({"input_guardrails": ["acme.shout"]}).run("BAD").decided_by == "acme.shout"


@pytest.mark.usefixtures("acme")
def test_an_entry_point_of_another_class_is_loaded_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package importlib_metadata, once imported, gives entry points of its own class to all who ask the library."""

    @dataclass(frozen=True)
    class Backported:
        name: str
        load: Callable[[], object]
        dist: None = None

    entries = importlib.metadata.entry_points(group=GROUP)
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: [Backported(entry.name, entry.load) for entry in entries]
    )
    factories.cache_clear()
    assert Engine.from_config({"input_guardrails": ["acme.shout"]}).run("BAD").decided_by == "acme.shout"


@pytest.mark.usefixtures("acme")
def test_a_foreign_package_is_imported_only_when_used() -> None:
    """Listing the checks, and using the built-in ones, imports nothing of the package."""
    assert set(factories()) == {*BUILT_IN, *ENTRIES, "lasso.classify"}
    Engine.from_config({"input_guardrails": ["pii_redact"]})
    assert "acme_checks" not in sys.modules
    Engine.from_config({"input_guardrails": ["acme.shout"]})
    assert "acme_checks" in sys.modules


@pytest.mark.usefixtures("acme")
def test_a_foreign_package_that_decides_is_part_of_the_version() -> None:
    """The version of the package stands in the guard version where a check of it is used, and only there."""
    used, unused = (Engine.from_config({"input_guardrails": [name]}).version for name in ("acme.shout", "pii_redact"))
    assert used.packages["acme"] == "1.2"
    assert "acme" not in unused.packages


@pytest.mark.usefixtures("acme")
def test_a_factory_may_be_a_function() -> None:
    """What makes a check may be any callable; the parameters that its check shows are part of the hash."""
    engines = [
        Engine.from_config({"input_guardrails": [{"id": "g", "acme.made": {"least": least}}]}) for least in (1, 2, 1)
    ]
    assert [engine.run("x").results[0].checks[0].check for engine in engines] == ["acme.made"] * 3
    hashes = [engine.version.config_hash for engine in engines]
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("acme.shuot", "unknown guardrail id or check 'acme.shuot'; did you mean 'acme.shout'?"),
        ({"acme.shuot": {}}, "did you mean 'acme.shout'?"),
        (
            {"acme.shout": {"lesat": 1}},
            "unknown parameter of acme.shout 'lesat'; did you mean 'least'? Choices: least, mode",
        ),
        ({"acme.shout": {"least": "3"}}, "parameter least of acme.shout is a whole number, not '3'"),
        ({"acme.shout": {"mode": "frist"}}, "did you mean 'first'? Choices: all, first"),
        ({"acme.rewrite": {}}, "acme.rewrite needs the parameter 'prefix'"),
        ("acme.wrong", "a check is a callable with an id, not 'not a check'"),
        ("acme.absent", "check 'acme.absent' cannot be imported: AttributeError"),
        ("acme.broken", "check 'acme.broken' cannot be imported: RuntimeError: no licence"),
    ],
)
def test_mistakes_in_a_foreign_check_are_refused_with_their_place(entry: object, said: str) -> None:
    """An unknown name or parameter, and a package that cannot be used, are ConfigErrors at their place."""
    with pytest.raises(ConfigError) as caught:
        Engine.from_config({"input_guardrails": ["pii_redact", entry]})
    assert said in str(caught.value)
    assert str(caught.value).startswith("input_guardrails[1]")


REWRITERS = """input_guardrails:
  - notNull: {{}}
  - id: g
    {setting}
    one: {{id: acme.rewrite, prefix: "1 "}}
    two: {second}
"""


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("second", ['{id: acme.rewrite, prefix: "2 "}', "{id: pii_redact}"])
def test_a_whole_rewrite_beside_another_is_refused(second: str, tmp_path: Path) -> None:
    """Two checks of one guardrail may not rewrite the same text where one rewrites all of it; the line is named."""
    path = tmp_path / "g.yaml"
    path.write_text(REWRITERS.format(setting="deny: false", second=second), encoding="utf-8")
    with pytest.raises(ConfigError, match="rewrite the same message at once, and one would undo the other") as caught:
        Engine.from_file(path)
    assert (caught.value.line, str(caught.value).startswith(f"{path}:3:")) == (3, True)


@pytest.mark.usefixtures("acme")
def test_a_whole_rewrite_beside_another_is_refused_in_python_data() -> None:
    """In Python data, the error names the path of the guardrail."""
    rewrites = {"id": "g", "a": {"id": "acme.rewrite", "prefix": "1"}, "b": {"id": "acme.rewrite", "prefix": "2"}}
    with pytest.raises(ConfigError, match=r"^input_guardrails\[1\]: guardrail 'g': acme\.rewrite and acme\.rewrite"):
        Engine.from_config({"input_guardrails": ["pii_redact", rewrites]})


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("setting", ["sequential: true", "type: mutator"])
def test_whole_rewrites_one_after_the_other_are_fine(setting: str, tmp_path: Path) -> None:
    """A sequential guardrail gives each rewrite the text of the one before."""
    path = tmp_path / "g.yaml"
    second = '{id: acme.rewrite, prefix: "2 "}'
    path.write_text(REWRITERS.format(setting=setting, second=second), encoding="utf-8")
    assert Engine.from_file(path).run("x").upstream_requests[0].text == "2 1 x"


def test_a_name_that_is_taken_is_refused(install: Callable[..., None]) -> None:
    """A package that claims the name of a built-in check is refused by name, not preferred or ignored."""
    install("squatter", "1", {"pii_redact": "nowhere:Check"})
    with pytest.raises(
        ConfigError, match="check 'pii_redact' of package 'squatter' takes a name that is already taken"
    ):
        Engine.from_config({"input_guardrails": ["default.notNull"]})


def test_two_packages_cannot_share_a_name(install: Callable[..., None]) -> None:
    """Two packages that claim one name are refused: which one decides would be chance."""
    install("first", "1", {"same": "nowhere:Check"})
    install("second", "1", {"same": "nowhere:Check"})
    with pytest.raises(
        ConfigError, match=r"check 'same' of package '(first|second)' takes a name that is already taken"
    ):
        factories()


def test_without_other_packages_the_built_in_checks_are_all_there_is() -> None:
    """Nothing is added by chance, and every built-in check is known by its id."""
    assert set(factories()) == {*BUILT_IN, "lasso.classify"}
    assert all(name == factory.id for name, factory in BUILT_IN.items())  # type: ignore[attr-defined]
