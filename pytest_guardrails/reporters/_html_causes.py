"""Why cases and samples went wrong: grouped by the guardrail, check and category that acted, or did not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pytest_guardrails._model import Action, CaseRecord, CaseStatus, CorpusRecord, Group, Outcome, Run
from pytest_guardrails.reporters._corpora import current
from pytest_guardrails.reporters._facts import WrongSample, wrong_samples
from pytest_guardrails.reporters._html_parts import Cell, bdi, count, section, some_links, table

SEVERITIES = ("critical", "high", "medium", "low")
MOST_CAUSES = 100
MOST_PLACES = 6
_SHORT = 80  # a longer reason quotes texts: what it is about groups better
_HEADS = ["guardrail", "check", "category or reason", "#number", "worst", "which"]


@dataclass(slots=True)
class Cause:
    """One reason: where, what, and the cases, or how many samples of a corpus, that it explains."""

    guardrail: str
    check: str
    what: str
    records: list[CaseRecord] = field(default_factory=list)
    samples: dict[str, int] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)  # of some of the samples

    @property
    def number(self) -> int:
        """How many it explains."""
        return len(self.records) + sum(self.samples.values())

    @property
    def worst(self) -> str:
        """The highest severity among its cases; empty where it has none."""
        return min((record.severity for record in self.records), key=severity_rank, default="")


def severity_rank(severity: str) -> int:
    """Return the place of a severity, 0 for the worst."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def causes(run: Run) -> Iterator[str]:
    """Yield the section of what went wrong, grouped."""
    records = [record for record in run.records if record.trace is not None and not record.generated]
    wrong = [record for record in run.records if record.xfail is None]
    errors = [record for record in wrong if record.status is CaseStatus.ERROR]
    other = [record for record in wrong if record.status is CaseStatus.NOT_AS_EXPECTED]
    other = [record for record in other if record.outcome not in (Outcome.FALSE_POSITIVE, Outcome.FALSE_NEGATIVE)]
    yield from section(
        "causes",
        "What went wrong, by cause",
        _group(
            "No answer",
            "the guard gave none, and nobody expected that",
            [*_grouped(errors, _unanswered), *_samples(run, "check", "error")],
        ),
        _group(
            "Missed attacks",
            "no guardrail acted",
            [*_grouped(_of(records, Outcome.FALSE_NEGATIVE), _missed), *_samples(run, "category", "false_negative")],
        ),
        _group(
            "False positives",
            "a guardrail acted on something benign; one case may have several causes",
            [*_grouped(_of(records, Outcome.FALSE_POSITIVE), _acted), *_samples(run, "check", "false_positive")],
        ),
        _group("Not as expected otherwise", "the right side was taken, in another way", _grouped(other, _reasons)),
    )


def _of(records: Iterable[CaseRecord], outcome: Outcome) -> list[CaseRecord]:
    return [record for record in records if record.outcome is outcome]


Place = tuple[str, str, str]


def _grouped(records: Iterable[CaseRecord], places: Callable[[CaseRecord], Iterable[Place]]) -> list[Cause]:
    found: dict[Place, Cause] = {}
    for record in records:
        for place in dict.fromkeys(places(record)):
            found.setdefault(place, Cause(*place)).records.append(record)
    return list(found.values())


def _acted(record: CaseRecord) -> Iterator[Place]:
    assert record.trace is not None  # noqa: S101 - the caller looked
    acting = [result for result in record.trace.results if result.action > Action.NONE]
    found = [
        (result.guardrail, check.check, finding.category or finding.name)
        for result in acting
        for check in result.checks
        for finding in check.findings
        if (finding.action or Action.NONE) > Action.NONE
    ]
    yield from found or [(result.guardrail, "", "acted without a finding") for result in acting]


def _missed(record: CaseRecord) -> Iterator[Place]:
    """Say what is known of an attack that passed: an allowlist, a finding that nobody acted on, or nothing at all."""
    assert record.trace is not None  # noqa: S101 - the caller looked
    known = []
    for result in record.trace.results:
        for check in result.checks:
            known += [
                (result.guardrail, check.check, f"taken away by entry {entry[0] + 1} of the allowlist")
                for entry in check.allowed
            ]
            known += [
                (result.guardrail, check.check, f"found, and nothing done: {finding.category or finding.name}")
                for finding in check.findings
            ]
    tags = ", ".join(record.tags)
    yield from known or [("", "", f"nothing found; {record.expected}" + (f"; {tags}" if tags else ""))]


def _unanswered(record: CaseRecord) -> Iterator[Place]:
    errors = record.trace.errors if record.trace is not None else ()
    yield from ((error.guardrail, error.check, error.kind) for error in errors)
    if not errors:
        yield "", "", (record.reasons or ("no reason given",))[0]


def _reasons(record: CaseRecord) -> Iterator[Place]:
    reason = (record.reasons or ("no reason given",))[0]
    asked, _, _ = reason.partition(":")
    yield (record.trace.decided_by or "") if record.trace else "", "", reason if len(reason) <= _SHORT else asked


def _samples(run: Run, kind: str, column: str) -> Iterator[Cause]:
    """Yield causes from corpora, whose samples are known by check or category alone."""
    found: dict[Place, Cause] = {}
    for record in current(run):
        kept = [sample for sample in wrong_samples(record) if sample.what == column.replace("_", " ")]
        for group, place, number in _corpus(record, kind, column):
            cause = found.setdefault(place, Cause(*place))
            cause.samples[record.name] = cause.samples.get(record.name, 0) + number
            cause.places += [sample.place for sample in kept if _belongs(sample, group)]
    yield from found.values()


def _belongs(sample: WrongSample, group: Group) -> bool:
    if group.kind == "category":
        return sample.category == group.name
    return group.kind == "all" or group.name in sample.by


def _corpus(record: CorpusRecord, kind: str, column: str) -> Iterator[tuple[Group, Place, int]]:
    groups = [group for group in record.groups if group.kind == kind]
    if kind == "category" and not groups:
        groups = [group for group in record.groups if group.kind == "all"]
    for group in groups:
        if number := getattr(group, column):
            _, _, rest = group.name.partition("/")
            guardrail, _, check = rest.rpartition("/")
            what = f"nothing found; category {group.name}" if group.name else "nothing found"
            yield group, (guardrail, check, "any") if kind == "check" else ("", "", what), number


def _group(title: str, meaning: str, found: list[Cause]) -> Iterator[str]:
    if not found:
        return
    found.sort(key=lambda cause: (severity_rank(cause.worst), -cause.number))
    cases = len({id(record) for cause in found for record in cause.records})
    samples = sum(number for cause in found for number in cause.samples.values())
    said = [f"{cases:,} case{'' if cases == 1 else 's'}"] if cases else []
    said += [f"{samples:,} sample{'' if samples == 1 else 's'} of corpora"] if samples else []
    yield f'<h3>{title}: {", ".join(said)}</h3><p class="quiet">{meaning[0].upper()}{meaning[1:]}.</p>'
    yield from table(title, _HEADS, map(_row, found[:MOST_CAUSES]), "causes")


def _row(cause: Cause) -> list[Cell]:
    records = sorted(cause.records, key=lambda record: severity_rank(record.severity))
    which = some_links([(record.nodeid, record.case) for record in records])
    corpora = ", ".join(f"{number:,} of corpus {bdi(name)}" for name, number in list(cause.samples.items())[:20])
    if cause.places:
        more = "" if len(cause.places) <= MOST_PLACES else ", …"
        corpora += f" <small>({', '.join(map(bdi, cause.places[:MOST_PLACES]))}{more})</small>"
    known = sum(record.xfail is not None for record in records)
    aside = f" <small>({known:,} known failing)</small>" if known else ""
    return [
        bdi(cause.guardrail or "none"), bdi(cause.check or "–"), bdi(cause.what), count(cause.number),
        bdi(cause.worst or "–"), "; ".join(filter(None, [which, corpora])) + aside,
    ]  # fmt: skip
