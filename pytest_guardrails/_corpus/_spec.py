"""What a case file or a marker says of a corpus: where its messages come from, and what must hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_guardrails._corpus._rows import suffix_of
from pytest_guardrails._corpus._samples import FIELDS
from pytest_guardrails._coverage import near_misses
from pytest_guardrails._document import Node
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import LABELS

SOURCES = ("file", "shipped", "sample")
KEYS = (
    *SOURCES, "n", "seed", "name", "label", "max_fpr", "min_recall", "columns", "concurrency", "rate_limit", "limit",
    "guardrails", "near_miss",
)  # fmt: skip
MOST_SAMPLES = 10_000
EVERY = "*"
_IDLE = {
    "file": ("n", "seed"),
    "shipped": ("n", "seed", "columns", "label"),
    "sample": ("columns", "limit", "label"),
}
_BOUND = re.compile(r"(point:)?\s*([0-9]{1,9}(?:\.[0-9]{1,12})?)\s*(%)?")


@dataclass(frozen=True, slots=True)
class Bound:
    """What a rate must keep to, 0 to 1: its exact one-sided bound at 95 %, or with ``point`` the rate itself."""

    limit: float
    point: bool = False

    def __str__(self) -> str:
        return f"{'point:' if self.point else ''}{self.limit:g}"


@dataclass(frozen=True, slots=True)
class CorpusSpec:
    """One corpus as it was asked for; ``path`` is a file, called ``source`` in reports; else ``sample`` is drawn.

    ``limit``: the first rows alone. ``file`` and ``line`` say where it was asked for. ``near_miss`` has, by category or
    its beginning and ``*``, what benign rows of it nearly are.
    """

    name: str
    source: str
    path: Path | None = None
    sample: str | None = None
    n: int = MOST_SAMPLES
    seed: int = 1
    label: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    max_fpr: Bound | None = None
    min_recall: Bound | None = None
    concurrency: int | None = None
    rate_limit: str | None = None
    guardrails: Node | None = None
    file: str | None = None
    line: int | None = None
    near_miss: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def near_names(self) -> tuple[str, ...]:
        """What ``near_miss`` names."""
        return tuple(name for _, names in self.near_miss for name in names)


def read_specs(node: Node, folder: Path) -> tuple[CorpusSpec, ...]:
    """Read the list ``corpora``; files stand beside the case file, in ``folder``.

    Raises:
        ConfigError: where it cannot be meant, or a name is there twice.
    """
    specs: dict[str, CorpusSpec] = {}
    for item in node.items("corpora"):
        spec = read_spec(item, folder)
        if spec.name in specs:
            item.fail(f"corpus {spec.name!r} is there twice; give one of them a name")
        specs[spec.name] = spec
    if not specs:
        node.fail("corpora is empty: nothing would be measured")
    return tuple(specs.values())


def read_spec(node: Node, folder: Path | None) -> CorpusSpec:
    """Read one corpus; without a ``folder`` nobody looks whether its file is there.

    Raises:
        ConfigError: where it cannot be meant, or its file is not there.
    """
    keys = node.mapping("a corpus", KEYS)
    given = [key for key in SOURCES if key in keys]
    if len(given) != 1:
        node.fail(f"a corpus has one of {', '.join(SOURCES)}; this one has {' and '.join(given) or 'none'}")
    kind = given[0]
    _refuse_idle(keys, kind)
    path, source = _source(keys[kind], kind, folder)
    name = keys["name"].text("name") if "name" in keys else Path(source).stem if path else source
    if not name.strip() or "::" in name or not name.isprintable():
        keys.get("name", node).fail("the name of a corpus is a printable text without '::'")
    return CorpusSpec(
        name=name,
        source=source,
        path=path,
        sample=None if path else source,
        n=_count(keys["n"], "n") if "n" in keys else MOST_SAMPLES,
        seed=keys["seed"].integer("seed") if "seed" in keys else 1,
        label=keys["label"].choice("label", LABELS) if "label" in keys else None,
        columns=_columns(keys["columns"]) if "columns" in keys else (),
        limit=_count(keys["limit"], "limit") if "limit" in keys else None,
        max_fpr=_bound(keys["max_fpr"], "max_fpr") if "max_fpr" in keys else None,
        min_recall=_bound(keys["min_recall"], "min_recall") if "min_recall" in keys else None,
        concurrency=_count(keys["concurrency"], "concurrency") if "concurrency" in keys else None,
        rate_limit=keys["rate_limit"].text("rate_limit") if "rate_limit" in keys else None,
        guardrails=keys.get("guardrails"),
        file=node.file,
        line=node.line,
        near_miss=_near_miss(keys["near_miss"]) if "near_miss" in keys else (),
    )


def _refuse_idle(keys: Mapping[str, Node], kind: str) -> None:
    """Refuse keys that would do nothing beside this source."""
    for key in _IDLE[kind]:
        if key in keys:
            keys[key].fail(f"{key} means nothing beside {kind}")


def _source(node: Node, kind: str, folder: Path | None) -> tuple[Path | None, str]:
    said = node.text(kind)
    if kind == "sample":
        return None, said
    if kind == "shipped":
        from pytest_guardrails.corpora import shipped

        try:
            return shipped(said), f"shipped/{said}.jsonl"
        except ConfigError as exc:
            node.fail(exc.message)
    path = (folder or Path()) / said
    if folder is not None and not path.is_file():
        node.fail(f"file: there is no file {said!r} beside this one")
    try:
        suffix_of(path, said)
    except ConfigError as exc:
        node.fail(exc.message)
    return path, said


def _count(node: Node, key: str) -> int:
    number = node.integer(key)
    if number < 1:
        node.fail(f"{key} is 1 or more, not {number}")
    return number


def _columns(node: Node) -> tuple[tuple[str, str], ...]:
    """Read ``columns``: the file's names to ours, ``_`` for those that are left out."""
    named = node.mapping("columns").items()
    pairs = [(theirs, ours.choice(f"columns of {theirs}", (*FIELDS, "_"))) for theirs, ours in named]
    fields = [ours for _, ours in pairs if ours != "_"]
    for ours in fields:
        if fields.count(ours) > 1:
            node.fail(f"columns: two of them are {ours}")
    return tuple(pairs)


def _near_miss(node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Read ``near_miss``: names, for every benign row; or names by category."""
    if not isinstance(node.value, dict):
        return ((EVERY, near_misses(node)),)
    if not node.value:
        node.fail("near_miss is empty: it says of no category what it nearly is")
    for category, named in node.value.items():
        if EVERY in category[:-1]:
            named.fail(f"near_miss: * stands at the end of a category, not as in {category!r}")
    return tuple((category, near_misses(named)) for category, named in node.value.items())


def matches(pattern: str, category: str) -> bool:
    """True if a key of ``near_miss`` means a category: by its whole name, or by its beginning and ``*``."""
    return category.startswith(pattern[:-1]) if pattern.endswith(EVERY) else category == pattern


def _bound(node: Node, key: str) -> Bound:
    """Read a share from 0 to 1 or in per cent, ``point:`` before it if the rate itself is meant."""
    match = _BOUND.fullmatch(node.value) if isinstance(node.value, str) else None
    if match is None:
        node.fail(f"{key} is a share such as 0.01 or 1%, or point:0.01, not {node.kind}")
    limit = float(match[2]) / (100 if match[3] else 1)
    if limit > 1:
        node.fail(f"{key} is a share from 0 to 1, not {match[2]}{match[3] or ''}; write {match[2]}% for per cent")
    unreachable = {"max_fpr": 0.0, "min_recall": 1.0}
    if not match[1] and limit == unreachable[key]:
        node.fail(f"no number of samples can show {key} {limit:g} at 95 %; write point:{limit:g}, or a bound")
    if limit == {"max_fpr": 1.0, "min_recall": 0.0}[key]:
        node.fail(f"{key} {limit:g} can never fail; leave it out, or say what must hold")
    return Bound(limit, bool(match[1]))
