"""The examples for Grafana and Prometheus, against the figures that a run writes."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

FOLDER = Path(__file__).parent.parent / "examples" / "grafana"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the examples are not beside these tests")

NAME = re.compile(r"\bguardrails_\w+")
MATCHERS = re.compile(r"(guardrails_\w+)\{([^}]*)\}")
BY = re.compile(r"\bby \(([^)]*)\)")
TEMPLATE = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")

SUITE = """\

guardrails: guard.yaml
cases:
  - {id: bad, input: forbidden, expect: block}
  - {id: good, input: hello, expect: allow}
corpora:
  - {file: words.jsonl}
"""


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run a suite with cases, a corpus and a gate; return what it writes."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "guard.yaml").write_text(
        'version: "1"\ninput_guardrails:\n'
        "  - {id: words, default.contains: {words: [forbidden], operator: none}, deny: true}\n"
    )
    (folder / "words.jsonl").write_text('{"text": "hi", "label": "benign"}\n{"text": "forbidden", "label": "attack"}\n')
    (folder / "a.guardrails.yaml").write_text(SUITE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--guardrails-report=openmetrics:m.txt",
        "--guardrails-fail-on=error_rate==0",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout
    return (folder / "m.txt").read_text()


@pytest.fixture(scope="module")
def emitted(figures: str) -> dict[str, set[str]]:
    """Each figure that the suite writes, with the labels it has."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(figures):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def dashboard() -> Any:
    """Return the dashboard."""
    return json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    """Return the alerts."""
    data = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))
    return [rule for group in data["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield each expression with the texts that are filled from its labels."""
    for rule in rules():
        yield rule["expr"], " ".join(rule["annotations"].values())
    found = dashboard()
    for panel in found["panels"]:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for variable in found["templating"]["list"]:
        yield variable["definition"], ""
    for annotation in found["annotations"]["list"]:
        yield annotation["expr"], annotation["titleFormat"] + annotation["textFormat"]


def test_every_figure_that_is_used_is_one_that_we_write(emitted: dict[str, set[str]]) -> None:
    """Names and labels: in expressions, sums and texts. What vendors took is there where a vendor is asked."""
    written = {**emitted, "guardrails_vendor_latency_seconds": emitted["guardrails_latency_seconds"]}
    for expression, texts in expressions():
        names = NAME.findall(expression)
        assert names, expression
        assert [name for name in names if name not in written] == []
        labels = set.intersection(*(written[name] for name in names))
        for name, matchers in MATCHERS.findall(expression):
            used = set(re.findall(r"(\w+)\s*=~?", matchers))
            assert used <= written[name], expression
        for summed in BY.findall(expression):
            labels = {label.strip() for label in summed.split(",")}
            assert labels <= written[names[0]], expression
        assert {label for label in TEMPLATE.findall(texts) if label != "value"} <= labels, (expression, texts)


def test_values_of_labels_are_ours(emitted: dict[str, set[str]]) -> None:
    """A status, a quantile or a choice that nobody writes would never alert."""
    from pytest_guardrails._model import CaseStatus
    from pytest_guardrails.reporters.openmetrics import QUANTILES

    known = {
        "status": {status.value.replace(" ", "_") for status in CaseStatus},
        "quantile": {str(share) for share in QUANTILES},
        "choice": {"true", "false"},
    }
    for expression, _ in expressions():
        for label, values in known.items():
            for said in re.findall(rf'\b{label}=~?"([^"]*)"', expression):
                assert set(said.split("|")) <= values, expression


def test_alerts_have_what_prometheus_asks_of_them() -> None:
    """Each has a name of its own, an expression, a severity and a summary, and no other key."""
    found = rules()
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        assert set(rule) == {"alert", "expr", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]


def test_the_dashboard_can_be_imported() -> None:
    """Each panel has an id and a place of its own and the data source that the import asks for."""
    found = dashboard()
    assert [one["name"] for one in found["__inputs"]] == ["DS_PROMETHEUS"]
    assert len({panel["id"] for panel in found["panels"]}) == len(found["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in found["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${DS_PROMETHEUS}"}


# The real programs, where they are installed


def program(name: str) -> str:
    """Return where a program is; the test is skipped where it is not."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian's package 'prometheus' has it)")
    return found


def test_promtool_takes_rules_and_figures(figures: str) -> None:
    """The rules are valid, and what we write is valid in the older text format too, which a Pushgateway reads."""
    promtool = program("promtool")
    for arguments, given in ((["check", "rules", str(FOLDER / "rules.yml")], None), (["check", "metrics"], figures)):
        done = subprocess.run([promtool, *arguments], input=given, capture_output=True, text=True, check=False)  # noqa: S603
        assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def prometheus(figures: str, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Prometheus on loopback, which reads our figures every second and has our rules; return what asks it."""
    from pytest_guardrails.servers._http import Answer, HttpServer

    path = program("prometheus")
    kind = ("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
    with contextlib.closing(Stopping(HttpServer(lambda _asked: Answer(200, (kind,), figures.encode())))) as ours:
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(FOLDER / "rules.yml")],
            "scrape_configs": [
                {"job_name": "guardrails", "static_configs": [{"targets": [f"127.0.0.1:{ours.server.port}"]}]}
            ],
        }
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
        free = HttpServer(lambda _asked: Answer(200, (), b""))
        free.stop()
        command = [
            path, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{free.port}",
        ]  # fmt: skip
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def ask(what: str, **parameters: str) -> Any:
            url = f"http://127.0.0.1:{free.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
            with opener.open(url, timeout=30) as answer:
                return json.load(answer)["data"]

        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:  # noqa: S603
            try:
                for _ in range(240):
                    with contextlib.suppress(OSError):
                        if ask("query", query="guardrails_trusted")["result"]:
                            break
                    time.sleep(0.25)
                yield ask
            finally:
                running.terminate()


class Stopping:
    """A server of ours that ends with its block."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def close(self) -> None:
        """Stop it."""
        self.server.stop()


def test_a_real_prometheus_answers_every_expression(prometheus: Callable[..., Any]) -> None:
    """It takes our figures, no rule is in trouble, and each panel shows something of a run that has it."""
    silent = set()
    for expression, _ in expressions():
        asked = expression.replace("$guard", ".*").replace("$population", ".*")
        if label := re.fullmatch(r"label_values\((.*), (\w+)\)", asked):
            assert prometheus(f"label/{label[2]}/values", **{"match[]": label[1]})
        elif not prometheus("query", query=asked)["result"]:
            silent.add(expression)
    alerts = {rule["expr"] for rule in rules()}
    shown = {expression for expression in silent - alerts if "guardrails_vendor" not in expression}
    assert shown == set()
    groups = prometheus("rules")["groups"]
    assert [rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")] == []
    assert sum(len(group["rules"]) for group in groups) == len(rules())
