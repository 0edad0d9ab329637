"""The pytest plugin: declares options, fixtures, the marker and hooks, and delegates; imports nothing heavy at load."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_guardrails._controller import DESELECTED, SESSION, Controller
from pytest_guardrails._options import BARE, CHECKED, add_options, close_bare

if TYPE_CHECKING:
    from pytest_guardrails._faults import Fault
    from pytest_guardrails._model import CorpusRecord
    from pytest_guardrails._session import GuardrailsSession
    from pytest_guardrails.lasso import LassoClient
    from pytest_guardrails.servers import LassoServer
    from pytest_guardrails.targets.embedded import Engine, RecordingUpstream

MARKER = "expect_verdict"
FAULT_MARKER = "inject_fault"
FAULT_FIXTURE = "lasso_fault"
CORPUS_MARKER = "corpus"
SUFFIXES = (".guardrails.yaml", ".guardrails.yml")
SEVERITIES = ("critical", "high", "medium", "low")
_item_key = pytest.StashKey[pytest.Item]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and ini keys of the group "guardrails"."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Keep a bare option whose value may be left out from taking the path after it for its value."""
    if any(option in args for option in BARE):
        args[:] = close_bare(args)
        parse = parser.parse_known_args
        early_config.known_args_namespace = parse(args, namespace=early_config.known_args_namespace)


def pytest_configure(config: pytest.Config) -> None:
    """Register markers, and refuse options that cannot be meant before any test runs."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(verdict, /, *, action, by, findings, upstream, absent_upstream, upstream_calls, response, warns, "
        "errors, severity, label, near_miss): every guardrail_engine.run(...) of the test must end in this verdict",
    )
    config.addinivalue_line(
        "markers",
        "inject_fault(name, /, *, on_call): the guard's API fails in this way, on each call or on the n-th alone",
    )
    config.addinivalue_line("markers", "cassette(name, /): the recorded answers that this test is given")
    config.addinivalue_line(
        "markers",
        "corpus(file, /, *, shipped, sample, n, seed, name, label, max_fpr, min_recall, columns, concurrency, "
        "rate_limit, limit, near_miss): labelled messages that are measured as a whole, before the test runs",
    )
    for severity in SEVERITIES:
        config.addinivalue_line("markers", f"{severity}: guardrail cases of this severity")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Controller(config, _session), "guardrails-controller")
    options = [config.getoption(f"guardrails_{name}") for name in CHECKED]
    inis = [config.getini("guardrails_cassette_texts") != "plain", config.getini("guardrails_executor") != ""]
    inis += [config.getini("guardrails_fail_on") != [], bool(config.getini("guardrails_shadow"))]
    if any(option not in (None, []) for option in options) or any(inis):
        _session(config).refuse_bad_options()


def _session(config: pytest.Config) -> GuardrailsSession:
    """Return this process's session, made (and its imports paid for) when a guardrail test first needs it."""
    session = config.stash.get(SESSION, None)
    if session is None:
        from pytest_guardrails._session import GuardrailsSession

        session = GuardrailsSession(config, _item_key)
        config.stash[SESSION] = session
    return session


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what was chosen not to run: gates speak of the rest."""
    for item in items[:1]:
        item.config.stash[DESELECTED] = item.config.stash.get(DESELECTED, 0) + len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the gates of case files from an xdist worker to the controller, which has read none."""
    output = getattr(session.config, "workeroutput", None)
    own = session.config.stash.get(SESSION, None)
    if output is not None:
        output["guardrails_gates"] = own.results.gates.riding() if own is not None else {}
        output["guardrails_deselected"] = session.config.stash.get(DESELECTED, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give an xdist worker the key under which texts are masked, so that all workers mask alike."""
    from pytest_guardrails._key import mask_key

    node.workerinput["guardrails_mask_key"] = mask_key(node.config).hex()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect case files."""
    if not file_path.name.endswith(SUFFIXES):
        return None
    from pytest_guardrails._collect import GuardrailsFile

    return GuardrailsFile.from_parent(parent, path=file_path, session_=_session(parent.config))


def _is_marked(item: pytest.Item) -> bool:
    """True if the item has the marker; its keywords alone do not tell, since a parameter may have that name."""
    return MARKER in item.keywords and item.get_closest_marker(MARKER) is not None


def _has_corpus(item: pytest.Item) -> bool:
    """True for a corpus of a case file, and for a test that is marked with one."""
    if CORPUS_MARKER not in item.keywords or item.get_closest_marker(CORPUS_MARKER) is None:
        return False
    return isinstance(item, pytest.Function) or hasattr(item, "spec")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a marker with wrong arguments into a collection error of its module."""
    report = yield
    items = [item for item in report.result or () if isinstance(item, pytest.Function)]
    marked = [item for item in items if _is_marked(item) or FAULT_MARKER in item.keywords or _has_corpus(item)]
    if marked and report.passed:
        from pytest_guardrails._failures import marker_problems

        if problems := marker_problems(marked):
            return pytest.CollectReport(collector.nodeid, "failed", "\n".join(problems), [])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse two corpora of one name before anything runs, where a baseline could not tell their samples apart."""
    asked = config.getoption("guardrails_update_baseline") or config.getoption("guardrails_baseline") is not None
    if not asked or not (corpora := [item for item in items if _has_corpus(item)]):
        return
    from pytest_guardrails._corpus_items import twins

    said = twins(corpora)
    output = getattr(config, "workeroutput", None)
    if said is None:
        return
    if output is None:
        raise pytest.UsageError(said)
    output["guardrails_refused"] = said  # an xdist worker that raises is taken for a dead one: the controller refuses
    items.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a case of a file in the cheap lane where nothing needs the whole protocol."""
    run_cheaply = getattr(item, "run_cheaply", None)
    return run_cheaply(nextitem) if run_cheaply is not None else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which test runs, and empty what lives as long as the session for Hypothesis: the model, the stand-in."""
    item.config.stash[_item_key] = item
    session = item.config.stash.get(SESSION, None)
    if session is not None:
        session.prepare(item)


def _injects_fault(item: pytest.Item) -> bool:
    """True for a test in Python with a fault; a case of a file looks itself."""
    return FAULT_FIXTURE in getattr(item, "fixturenames", ()) or item.get_closest_marker(FAULT_MARKER) is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge what a test runs; fail one that ran nothing, swallowed a mismatch, or whose fault nothing has met."""
    if isinstance(item, pytest.Function) and _has_corpus(item):
        from pytest_guardrails._corpus_items import judge_marked

        judge_marked(_session(item.config), item)
    spoilt = _injects_fault(item)
    if not (spoilt or _is_marked(item) or "guardrail_engine" in getattr(item, "fixturenames", ())):
        return (yield)
    session = _session(item.config)
    session.begin(item)
    try:
        result = yield
        session.require_runs()
        if spoilt:
            session.answers.refuse_unmet_fault(item)
        session.arm(item)
    except pytest.skip.Exception:
        session.refuse_swallowed()
        raise
    except (Exception, pytest.fail.Exception) as exc:
        session.notice_found(item, exc)
        raise
    finally:
        session.end()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the record of a guardrail test onto its report, as JSON, and show a mismatch without a stack."""
    report = yield
    session = item.config.stash.get(SESSION, None)
    if _is_marked(item):
        session = _session(item.config)
        session.attach(item, call, report)
    elif session is not None:
        session.attach_armed(item, call, report)
    if _has_corpus(item):
        from pytest_guardrails._corpus_items import attach

        session = _session(item.config)
        attach(session, item, call, report)
    if session is not None:
        session.answers.attach(item, call, report)
        session.found.attach(item, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test whose guard swallowed that something was not recorded."""
    result = yield
    session = item.config.stash.get(SESSION, None)
    if session is not None:
        session.answers.refuse_misses(item)
    return result


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the fixture ``lasso_fault`` once per fault, unless its parametrization says which."""
    if FAULT_FIXTURE not in metafunc.fixturenames:
        return
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize") if mark.args]
    if not any(FAULT_FIXTURE in (names.split(",") if isinstance(names, str) else names) for names in chosen):
        from pytest_guardrails._faults import FAULTS

        metafunc.parametrize(FAULT_FIXTURE, list(FAULTS), indirect=True, scope="function")


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Explain comparisons of traces and verdicts."""
    if "pytest_guardrails._model" not in sys.modules or op != "==":
        return None
    from pytest_guardrails._failures import explain

    session = config.stash.get(SESSION, None)
    return explain(left, right, session.running.trace if session and session.running else None)


@pytest.fixture(scope="session")
def guardrails_config(pytestconfig: pytest.Config) -> Any:
    """The configuration under test; override it to return a path, a mapping or an `Engine`.

    Precedence: ``--guardrails-config``, then an override of this fixture, then the ini key ``guardrails_config``.
    """
    return _session(pytestconfig).engines.default()


@pytest.fixture(scope="session")
def guardrail_engine(guardrails_config: Any, pytestconfig: pytest.Config) -> Engine:
    """The engine under test; inside a marked test each ``run(...)`` is judged at once."""
    return _session(pytestconfig).judged_engine(guardrails_config)


@pytest.fixture
def corpus_result(request: pytest.FixtureRequest) -> CorpusRecord:
    """What came of the corpus of a test marked ``@corpus``: its counts by group, times and worst samples."""
    if not _has_corpus(request.node):
        pytest.fail("corpus_result is for tests marked @corpus(...): there is no corpus to measure", pytrace=False)
    from pytest_guardrails._corpus_items import result_of_marked

    return result_of_marked(_session(request.config), request.node)


@pytest.fixture(scope="session")
def guardrail_upstream(pytestconfig: pytest.Config) -> RecordingUpstream:
    """A model that records what it receives and answers from a script; emptied before each test."""
    return _session(pytestconfig).upstream()


@pytest.fixture(scope="session")
def lasso_transport(pytestconfig: pytest.Config) -> Any:
    """An httpx transport that answers each test from its own cassette, or with the fault that it injects."""
    return _session(pytestconfig).answers.recordings.transport


@pytest.fixture(scope="session")
def lasso_client(lasso_transport: Any, pytestconfig: pytest.Config) -> Generator[LassoClient, None, None]:
    """A Lasso client on `lasso_transport`; it needs no key where answers are recorded."""
    from pytest_guardrails.lasso import LassoClient

    session_id = _session(pytestconfig).answers.recordings.session_id
    with LassoClient(transport=lasso_transport, session_id=session_id) as client:
        yield client


@pytest.fixture(scope="session")
def lasso_server(pytestconfig: pytest.Config) -> LassoServer:
    """A Lasso stand-in on a loopback socket; healed, and its memory emptied, before each test."""
    return _session(pytestconfig).answers.server


@pytest.fixture(scope="session")
def lasso_fault(request: pytest.FixtureRequest) -> Fault:
    """A way in which the Lasso API fails, for whatever the test asks it; the test runs once for each of them."""
    from pytest_guardrails._faults import fault_named

    return fault_named(request.param)
