#!/bin/sh
# check-openapi.sh FILE: holds the API's description against the rules of a linter that is fetched with npx. Where there
# is no npx, or no network to fetch with, it is skipped aloud; CAM_NPM_REQUIRED=1 makes that a failure.
# check() calls the functions below by name.
# shellcheck disable=SC2317
set -u
here=$(dirname "$0")
# shellcheck source=tests/package/lib.sh
. "$here/../package/lib.sh"
[ $# -eq 1 ] || { echo "usage: $0 FILE" >&2 && exit 2; }
file=$(realpath "$1")

without() {
    if [ "${CAM_NPM_REQUIRED-}" = 1 ]; then
        fail "$1"
        verdict
    fi
    skip "$1; the OpenAPI file is not linted"
}
lint() {
    REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes @redocly/cli@2.77.0 "$@" 2>&1
}
# One warning is a failure too: the description is small enough to be without.
has_no_finding() { lint lint --format=stylish --extends=recommended-strict "$1"; }

command -v npx >/dev/null 2>&1 || without "npx is not installed"
# Not in the project's folder: a configuration that lies above the build must not count.
cd "$(mktemp -d)" || exit 1
trap 'rm -rf "$PWD"' EXIT
lint --version >/dev/null || without "the linter cannot be fetched"
check "$file: no finding" has_no_finding "$file"
verdict
