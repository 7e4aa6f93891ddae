#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One check as a step of GitHub Actions: annotations in the log, a summary of the job, SARIF.
# action.yml calls it; the inputs are in the environment.
set -euo pipefail

# An installed lazymmu is taken; otherwise this checkout is, in an environment of its own.
if ! command -v lazymmu >/dev/null; then
	venv=${RUNNER_TEMP:-/tmp}/lazymmu-venv
	python3 -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet "${GITHUB_ACTION_PATH:?}"
	PATH=$venv/bin:$PATH
fi

options=(--fail-on "${LAZYMMU_FAIL_ON:-breaks-text}" --format github)
[ -z "${LAZYMMU_SARIF:-}" ] || options+=(--format "sarif=$LAZYMMU_SARIF")
[ -z "${LAZYMMU_JUNIT:-}" ] || options+=(--format "junit=$LAZYMMU_JUNIT")
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || options+=(--format "markdown=$GITHUB_STEP_SUMMARY")
[ -z "${LAZYMMU_SINCE:-}" ] || options+=("--since=$LAZYMMU_SINCE")
[ -z "${LAZYMMU_ARCH:-}" ] || options+=("--arch=$LAZYMMU_ARCH")
[ -z "${LAZYMMU_CACHE_DIR:-}" ] || options+=("--cache-dir=$LAZYMMU_CACHE_DIR")
[ "${LAZYMMU_TRUST_TREE:-true}" = true ] || options+=(--no-config --no-allow)

exec lazymmu check "${options[@]}" -- "${LAZYMMU_TREE:-.}"
