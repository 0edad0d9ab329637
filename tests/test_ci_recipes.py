"""The recipes of ``examples/ci``: valid for their formats, and their commands do what they say in a plain shell."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_guardrails.cli import init

TOP = Path(__file__).parents[1]
CI = TOP / "examples" / "ci"
GITHUB, GITLAB, HOOKS = CI / "github-actions.yml", CI / "gitlab-ci.yml", TOP / ".pre-commit-hooks.yaml"
pytestmark = [
    pytest.mark.skipif(
        not (GITHUB.is_file() and HOOKS.is_file()), reason="no examples/ci here: it is in the repository"
    ),
    pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here, which runs the recipes' commands"),
]
GUARD = """\
version: "{version}"
input_guardrails:
  - {{id: words, default.contains: {{words: [{word}], operator: none}}, deny: true}}
"""
CASES = """\
guardrails: ../guard.yaml
cases:
  - {id: bad, input: this is forbidden, expect: block}
  - {id: good, input: hello, expect: allow}
"""
CASSETTE = {
    "version": 1,
    "guardrails": {"kind": "synthetic"},
    "interactions": [
        {
            "request": {"method": "POST", "uri": "https://x.example/", "headers": {}},
            "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "ok"}},
        }
    ],
}


def read(path: Path) -> Any:
    """Return a YAML file as GitHub reads it, for whom ``on`` is a key."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in data.items()} if isinstance(data, dict) else data


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each step of the GitHub workflow with the name of its job."""
    for name, job in read(GITHUB)["jobs"].items():
        for step in job["steps"]:
            yield name, step


def step(job: str, name: str) -> str:
    """Return the commands of a step of the GitHub workflow."""
    return str(next(one["run"] for where, one in steps() if where == job and one.get("name") == name))


def gitlab(job: str, index: int = 0) -> str:
    """Return the commands of a job of the GitLab pipeline."""
    return str(read(GITLAB)[job]["script"][index])


def tool(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a linter that is installed beside Python."""
    path = Path(sys.executable).with_name(command[0])
    if not path.exists():
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run([str(path), *command[1:]], capture_output=True, text=True, check=False)  # noqa: S603


# Each is what its format allows


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (GITHUB, ("--builtin-schema", "vendor.github-workflows")),
        (GITLAB, ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")),
    ],
    ids=["github", "gitlab"],
)
def test_a_pipeline_is_valid(path: Path, options: tuple[str, ...], tmp_path: Path) -> None:
    """The schema of the format, as check-jsonschema ships it, accepts the file, and refuses one with a wrong key."""
    done = tool("check-jsonschema", *options, str(path))
    assert done.returncode == 0, done.stdout
    broken = tmp_path / "broken.yml"
    text = path.read_text(encoding="utf-8").replace("timeout-minutes: 20", "timeout: x").replace("script:", "scripts:")
    broken.write_text(text)
    assert tool("check-jsonschema", *options, str(broken)).returncode == 1


@pytest.mark.parametrize(
    "command",
    [("validate-manifest", str(HOOKS)), ("validate-config", str(CI / "pre-commit-config.yaml"))],
    ids=" ".join,
)
def test_the_hooks_are_valid(command: tuple[str, str]) -> None:
    """pre-commit itself reads the manifest and the configuration."""
    done = tool("pre-commit", *command)
    assert done.returncode == 0, done.stdout


def test_the_example_asks_for_hooks_that_are_there() -> None:
    """Each hook of the example is one of the manifest."""
    asked = {hook["id"] for repo in read(CI / "pre-commit-config.yaml")["repos"] for hook in repo["hooks"]}
    assert asked == {hook["id"] for hook in read(HOOKS)}


# What a linter of workflows looks at, where none can be installed


def test_nothing_is_filled_into_a_script() -> None:
    """No ``${{ }}`` stands in a ``run``: a name that somebody else chose would be run as a command."""
    for _, one in steps():
        assert "${{" not in one.get("run", "")
    for expression in re.findall(r"\$\{\{(.*?)\}\}", GITHUB.read_text(encoding="utf-8")):
        assert re.match(r"\s*(github|matrix|secrets|steps|!cancelled\(\))", expression), expression


def test_the_jobs_need_jobs_and_no_more_rights_than_they_use() -> None:
    """What a job needs is there; only one may write to the repository, and what it does not push has no credentials."""
    flow = read(GITHUB)
    assert flow["permissions"] == {"contents": "read"}
    for name, job in flow["jobs"].items():
        needs = job.get("needs", [])
        assert {needs} if isinstance(needs, str) else set(needs) <= set(flow["jobs"])
        assert job["timeout-minutes"] <= 30
        checkouts = [one for where, one in steps() if where == name and "checkout@" in one.get("uses", "")]
        writes = job.get("permissions", {}).get("contents") == "write"
        assert writes is (name == "baseline")
        assert all((one.get("with", {}).get("persist-credentials") is not False) is writes for one in checkouts)
    uses = [one["uses"] for _, one in steps() if "uses" in one]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in uses)
    assert int(flow["env"]["SHARDS"]) == len(flow["jobs"]["shard"]["strategy"]["matrix"]["shard"])
    assert int(read(GITLAB)["variables"]["SHARDS"]) == read(GITLAB)["guardrails"]["parallel"]


def test_every_script_is_one_of_bash() -> None:
    """``bash -n`` reads every script."""
    scripts = [one["run"] for _, one in steps() if "run" in one]
    scripts += [line for job in read(GITLAB).values() if isinstance(job, dict) for line in job.get("script", ())]
    assert len(scripts) > 10
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # noqa: S607


# The commands, run


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A repository with a suite of four files, its origin beside it."""
    repository = tmp_path / "repository"
    (repository / "tests").mkdir(parents=True)
    (repository / "guard.yaml").write_text(GUARD.format(version=1, word="forbidden"))
    for name in ("a", "b", "c", "d"):
        (repository / "tests" / f"{name}.guardrails.yaml").write_text(CASES)
    return repository


def shell(script: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the CI does, with nothing of this process's environment but what finds programs."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(cwd.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "-p pytest_guardrails.plugin",
        "GUARDRAILS_MASK_KEY": "made up",
        "SUITE": "tests",
        "SHARDS": "3",
        "GITHUB_STEP_SUMMARY": str(cwd.parent / "summary.md"),
        "GIT_CONFIG_NOSYSTEM": "1",
        **variables,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def sharded(suite: Path) -> list[int]:
    """Run the three shards as GitHub does, where their artifacts are downloaded to; return their exit statuses."""
    done = []
    for shard in ("1", "2", "3"):
        result = shell(step("shard", "Test"), suite, SHARD=shard)
        done.append(result.returncode)
        folder = suite / "shards" / f"guardrails-shard-{shard}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(exist_ok=True)
        (suite / "guardrails-report").rename(folder)
        shutil.rmtree(suite / "no-file", ignore_errors=True)
    return done


def summary(suite: Path) -> str:
    """Return what was written for the reader of the job."""
    path = suite.parent / "summary.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def cases(suite: Path) -> Mapping[str, str]:
    """Return the cases of the merged report with their status."""
    data = json.loads((suite / "guardrails-report" / "report.json").read_text())
    return {case["nodeid"]: case["status"] for case in data["cases"]}


def test_github_shards_are_merged(suite: Path) -> None:
    """Every file runs in one shard, the summary is written once; without one of the shards there is no report."""
    assert sharded(suite) == [0, 0, 0]
    assert summary(suite) == ""
    result = shell(step("report", "Merge"), suite)
    assert result.returncode == 0, result.stderr
    assert len(cases(suite)) == 8
    assert set(cases(suite).values()) == {"as expected"}
    assert (suite / "guardrails-report" / "index.html").read_text().startswith("<!doctype html>")
    assert summary(suite).count("# Guardrails: all as expected (8 cases)") == 1
    shutil.rmtree(suite / "shards" / "guardrails-shard-2")
    shutil.rmtree(suite / "guardrails-report")
    result = shell(step("report", "Merge"), suite)
    assert result.returncode == 2
    assert "3 reports are expected, and 2 are given" in result.stderr
    assert not (suite / "guardrails-report" / "report.json").exists()


def test_a_shard_without_a_file_is_harmless(tmp_path: Path) -> None:
    """What `init` writes has two files, and passes on three shards, and so does a shard of tests without a guard.

    Where no shard has a test, the merge fails.
    """
    assert init(tmp_path / "new") == 0
    assert sharded(tmp_path / "new") == [0, 0, 0]
    (tmp_path / "new" / "tests" / "test_z.py").write_text("def test_one(): pass")
    assert sharded(tmp_path / "new") == [0, 0, 0]
    merge = step("report", "Merge")
    result = shell(merge, tmp_path / "new")
    assert result.returncode == 0, result.stderr
    assert len(cases(tmp_path / "new")) == 9
    for path in (tmp_path / "new" / "tests").iterdir():
        path.unlink()
    assert sharded(tmp_path / "new") == [0, 0, 0]
    assert shell(merge, tmp_path / "new").returncode == 1


@pytest.fixture
def cloned(suite: Path) -> Path:
    """The suite as a clone of a repository whose default branch is main."""
    script = (
        "git init --quiet --bare --initial-branch=main ../origin.git && git init --quiet --initial-branch=main && "
        "git config user.name a && git config user.email a@example.com && git add . && git commit --quiet -m suite && "
        "git remote add origin ../origin.git && git push --quiet --set-upstream origin main"
    )
    if shutil.which("git") is None:
        pytest.skip("no git here, which keeps the baseline")
    assert shell(script, suite).returncode == 0
    return suite


WITH_CORPUS = """\
guardrails: ../guard.yaml
cases:
  - {id: bad, input: this is forbidden, expect: block}
corpora:
  - {file: attacks.jsonl, label: attack}
"""
WEAKER = GUARD.format(version=2, word="this is forbidden")
OTHER = GUARD.format(version=3, word="other")
COMPARE = step("report", "Compare with the default branch") if GITHUB.is_file() else ""


def with_corpus(suite: Path) -> None:
    """Give the suite a corpus without bounds, which only a comparison can fail; `WEAKER` misses all of it."""
    (suite / "tests" / "a.guardrails.yaml").write_text(WITH_CORPUS)
    rows = (json.dumps({"text": f"forbidden {number}"}) for number in range(8))
    (suite / "tests" / "attacks.jsonl").write_text("\n".join(rows))


def on_main(suite: Path, number: int) -> list[int]:
    """Run the job of the default branch in a fresh checkout, as GitHub does; return the exit status of each step."""
    origin = suite.parent / "origin.git"
    checkout = suite.parent / f"checkout-{number}"
    assert shell(f"git clone --quiet {shlex.quote(str(origin))} {checkout.name}", suite.parent).returncode == 0
    done: list[int] = []
    for name in ("Past runs", "Test", "Compare with the run before", "Keep the run", "Keep the baseline"):
        if name == "Compare with the run before" and not (checkout / "before.jsonl").exists():
            continue
        if name == "Keep the baseline" and any(done):
            continue  # the one without `if`
        variables = {"GITHUB_RUN_ID": str(number), "GITHUB_RUN_ATTEMPT": "1", "GITHUB_REF_NAME": "main", "KEEP": "2"}
        done.append(shell(step("baseline", name), checkout, **variables).returncode)
    return done


def committed(suite: Path, **files: str) -> None:
    """Push changed files to the default branch."""
    for name, text in files.items():
        (suite / f"{name}.yaml").write_text(text)
    result = shell("git pull --quiet && git commit --quiet --all --message change && git push --quiet", suite)
    assert result.returncode == 0, result.stderr


def kept(suite: Path, what: str) -> str:
    """Return a file of a branch in the origin."""
    return shell(f"git show {what}", suite.parent / "origin.git").stdout


def test_github_keeps_every_run_and_its_report(cloned: Path) -> None:
    """Runs that fail are in the history too, with a page that the dashboard links; the baseline takes no loss."""
    with_corpus(cloned)
    assert shell("git add . && git commit --quiet --message corpus && git push --quiet", cloned).returncode == 0
    assert on_main(cloned, 1) == [0, 0, 0, 0]  # nothing to compare with
    baseline = kept(cloned, "main:.guardrails/baseline.jsonl")
    assert baseline.count('"attacks"') >= 8
    committed(cloned, guard=WEAKER)
    assert on_main(cloned, 2) == [0, 0, 1, 0]
    committed(cloned, guard=OTHER)
    assert on_main(cloned, 3) == [0, 1, 1, 0]
    assert kept(cloned, "main:.guardrails/baseline.jsonl") == baseline
    names = shell("git ls-tree -r --name-only main", cloned.parent / "origin.git").stdout.split()
    assert {name for name in names if not name.startswith("tests/")} == {".guardrails/baseline.jsonl", "guard.yaml"}
    clone = "git clone --quiet --branch guardrails origin.git pages"
    assert shell(clone, cloned.parent).returncode == 0
    pages = cloned.parent / "pages"
    lines = [json.loads(line) for line in (pages / "history.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines] == ["passed", "passed", "failed"]
    assert [path.name.split("-")[1] for path in sorted((pages / "runs").iterdir())] == ["2", "3"]  # the last two
    result = shell(step("dashboard", "Draw"), pages)
    assert result.returncode == 0, result.stderr
    assert linked(pages / "site") == {path.name for path in (pages / "site" / "runs").iterdir()}
    assert len(linked(pages / "site")) == 2


def linked(site: Path) -> set[str]:
    """Return the pages of runs that the pages of a dashboard link."""
    text = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.html") if path.parent.name != "runs")
    return set(re.findall(r'href="(?:\.\./)*runs/([^"]+)"', text))


def test_github_compares_cases_and_corpora_of_all_shards(suite: Path) -> None:
    """A guard that misses a corpus fails the pull request though each test passes; one that misses a case, too."""
    with_corpus(suite)
    assert shell("pytest tests --guardrails-update-baseline", suite).returncode == 0
    assert sharded(suite) == [0, 0, 0]
    assert shell(COMPARE, suite).returncode == 0
    (suite / "guard.yaml").write_text(WEAKER)
    assert sharded(suite) == [0, 0, 0]
    assert shell(step("report", "Merge"), suite).returncode == 0
    assert shell(COMPARE, suite).returncode == 1
    assert "attacks are missed more often in attacks" in summary(suite)
    (suite / "guard.yaml").write_text(OTHER)
    assert sharded(suite) == [1, 1, 1]
    assert shell(step("report", "Merge"), suite).returncode == 1
    assert sorted(cases(suite).values()).count("not as expected") == 4
    assert (suite / "guardrails-report" / "index.html").exists()
    assert shell(COMPARE, suite).returncode == 1
    assert "4 of 7 cases not as expected" in summary(suite)
    assert "newly wrong" in summary(suite)


def test_gitlab_shards_are_merged(suite: Path) -> None:
    """The same with GitLab's variables: the job fails where the guard has become worse, and all is there to be read."""
    with_corpus(suite)
    assert shell("pytest tests --guardrails-update-baseline", suite).returncode == 0
    (suite / "guard.yaml").write_text(WEAKER)
    for name in ("c", "d"):
        (suite / "tests" / f"{name}.guardrails.yaml").unlink()  # the third shard has no file
    for node in ("1", "2", "3"):
        result = shell(gitlab("guardrails"), suite, CI_NODE_INDEX=node, CI_NODE_TOTAL="3")
        assert result.returncode == 0, result.stdout
        assert (suite / f"junit-{node}.xml").exists()
    result = shell(gitlab("guardrails report"), suite)
    assert result.returncode == 1, result.stderr
    assert "FAILED     recall-loss" in result.stdout
    assert "newly wrong" in result.stdout
    assert len(cases(suite)) == 3
    assert (suite / "guardrails-report" / "index.html").exists()
    assert (suite / "guardrails-report" / "metrics.txt").read_text().endswith("# EOF\n")


def test_gitlab_keeps_every_run_and_its_report(cloned: Path) -> None:
    """The history and the reports are on a branch of their own, also of a run that failed, which is no baseline."""
    assert (
        shell(f"git remote add keep {shlex.quote(str(cloned.parent / 'origin.git'))}", cloned).returncode == 0
    )  # the job's own has a token
    keep = gitlab("guardrails baseline", 2)
    variables = {"CI_DEFAULT_BRANCH": "main", "KEEP": "5"}
    for number, (guard, status) in enumerate([(GUARD.format(version=1, word="forbidden"), 0), (OTHER, 1)]):
        (cloned / "guard.yaml").write_text(guard)
        shell("git worktree remove --force past; rm -rf before.jsonl", cloned)
        result = shell(keep, cloned, CI_JOB_ID=str(number), **variables)
        assert result.returncode == status, result.stderr
    assert '"verdict": "block"' in kept(cloned, "main:.guardrails/baseline.jsonl")
    assert kept(cloned, "guardrails:history.jsonl").count("pytest-guardrails/history") == 2
    result = shell(gitlab("pages"), cloned)
    assert result.returncode == 0, result.stderr
    assert len(linked(cloned / "public")) == 2


# The hooks, run as pre-commit does: entry, then the files that changed


def hook(name: str, cwd: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """Run a hook on files."""
    entry = next(one["entry"] for one in read(HOOKS) if one["id"] == name)
    return shell(f"{entry} {shlex.join(files)}", cwd)


def test_the_hook_for_cases(suite: Path) -> None:
    """A file that can be meant passes; a mistake fails with its place."""
    assert hook("guardrails-cases", suite, "tests/a.guardrails.yaml").returncode == 0
    (suite / "tests" / "a.guardrails.yaml").write_text("guardrails: ../guard.yaml\ncases:\n  - {id: a, inputs: x}\n")
    result = hook("guardrails-cases", suite, "tests/a.guardrails.yaml", "tests/b.guardrails.yaml")
    assert result.returncode != 0
    assert "tests/a.guardrails.yaml:3:" in result.stdout


def test_the_hook_for_cassettes(suite: Path) -> None:
    """It looks at the files that it is given, and fails where one holds an address."""
    folder = suite / "cassettes"
    folder.mkdir()
    pattern = next(one["files"] for one in read(HOOKS) if one["id"] == "guardrails-cassettes")
    for name, body, status in (("clean.json", "hello", 0), ("private.json", "@".join(("jane", "example.org")), 1)):
        data = json.loads(json.dumps(CASSETTE))
        data["interactions"][0]["request"]["body"] = body
        (folder / name).write_text(json.dumps(data))
        result = hook("guardrails-cassettes", suite, f"cassettes/{name}")
        assert result.returncode == status, result.stdout + result.stderr
        assert re.search(pattern, f"cassettes/{name}")
