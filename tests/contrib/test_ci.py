# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipes for CI, run as far as they can be without a server."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from junitparser import JUnitXml

ROOT = Path(__file__).parents[2]


def loaded(name):
    """A YAML file of the project."""
    return yaml.safe_load((ROOT / name).read_text())


@pytest.fixture
def step(shell, repository, tmp_path):
    """Runs the step of the action as GitHub would, with these inputs."""

    def run(**inputs):
        action = loaded("action.yml")
        (only,) = action["runs"]["steps"]
        given = {name: str(one["default"]) for name, one in action["inputs"].items()}
        assert set(inputs) <= set(given)
        given |= inputs
        env = {
            key: given[re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value)[1]]
            for key, value in only["env"].items()
        }
        env["GITHUB_ACTION_PATH"] = str(ROOT)
        env["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
        assert only["shell"] == "bash"
        return shell(repository, "bash", "-e", "-o", "pipefail", "-c", only["run"], env=env)

    return run


def test_the_action_annotates_what_a_branch_brings_and_writes_its_files(step, repository, tmp_path):
    """One line for the new finding, a summary of the job, SARIF, and a job that fails."""
    done = step(since="base", junit="tests.xml", arch="x86")
    assert done.returncode == 1, done.stderr
    assert re.fullmatch(
        r"::error file=mm/right_order\.c,line=\d+,col=2,title=lazymmu nested-section::.*\n",
        done.stdout,
    )
    log = json.loads((repository / "lazymmu.sarif").read_text())
    states = [one["baselineState"] for one in log["runs"][0]["results"]]
    assert states.count("new") == 1
    assert (tmp_path / "summary.md").read_text().startswith("### lazymmu check: `.`")
    assert JUnitXml.fromfile(str(repository / "tests.xml")).failures == 1


def test_an_input_is_never_a_command(step, repository):
    """A branch may be called anything: what stands in an input reaches a shell as a variable."""
    done = step(since="$(touch evil)`touch evil`; touch evil", arch="x86")
    assert done.returncode == 2
    assert not (repository / "evil").exists()
    assert "${{" not in (ROOT / "action.yml").read_text().split("run:")[1]


def test_the_action_does_not_trust_a_tree_that_it_is_told_not_to(step, repository):
    """A pull request of a stranger may bring a configuration of its own."""
    (repository / ".lazymmu.toml").write_text(
        '[[suppress]]\nrule = "nested-section"\nfunction = "twice_range"\nreason = "trust me"\n'
    )
    assert step(since="base", arch="x86").returncode == 0
    assert step(**{"since": "base", "arch": "x86", "trust-tree": "false"}).returncode == 1
    assert step(**{"since": "base", "arch": "x86", "fail-on": "information"}).returncode in {0, 1}


def test_the_gitlab_job_writes_the_reports_that_it_names(shell, repository):
    """The script, run as the runner does, in a merge request with one finding."""
    job = loaded("contrib/ci/gitlab.yml")["lazymmu"]
    env = {key: str(value) for key, value in job["variables"].items()}
    env["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = "base"
    done = shell(repository, "sh", "-e", "-c", "\n".join(job["script"]), env=env)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("mm/right_order.c:")
    reports = job["artifacts"]["reports"]
    (found,) = json.loads((repository / reports["codequality"]).read_text())
    assert found["location"]["path"] == "mm/right_order.c"
    assert JUnitXml.fromfile(str(repository / reports["junit"])).failures == 1
    assert job["artifacts"]["when"] == "always"
    del env["CI_MERGE_REQUEST_DIFF_BASE_SHA"]
    whole = shell(repository, "sh", "-e", "-c", "\n".join(job["script"]), env=env)
    assert whole.returncode == 1
    assert len(whole.stdout) > len(done.stdout)


def test_the_pre_commit_hook_tells_what_a_commit_would_bring(shell, repository):
    """Nothing to say of a tree with old mistakes, and of a new one its place."""
    (hook,) = loaded(".pre-commit-hooks.yaml")
    assert hook["pass_filenames"] is False
    command = shlex.split(hook["entry"])
    assert shell(repository, *command).returncode == 0
    shell(repository, "git", "reset", "-q", "--soft", "base")
    done = shell(repository, *command)
    assert (done.returncode, done.stdout.count("error: ")) == (1, 1)


def test_the_container_copies_what_there_is_and_runs_as_nobody_special():
    """It cannot be built here; what it names must be there."""
    text = (ROOT / "Containerfile").read_text().replace("\\\n", " ")
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ")]
    for name in (name for names in copied for name in names):
        assert (ROOT / name).exists(), name
    needed = {"pyproject.toml", "README.md", "LICENSE", "src", "locks"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed |= {Path(name).parts[0] for name in wheel.get("force-include", {})}
    assert needed <= {name for names in copied for name in names}
    assert re.search(r"(?m)^USER (?!root)\w+$", text)
    assert "--require-hashes" in text
