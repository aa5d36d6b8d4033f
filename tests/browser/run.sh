#!/bin/sh
# run.sh MONITOR SIMULATOR EXPORTER SOURCE-DIRECTORY WORK-DIRECTORY: the page in headless Chromium over the demo's data.
#
# Skipped aloud (77) without chromium, node or npm, or where npm cannot fetch the two packages that the tests are written
# with; with CAM_BROWSER_REQUIRED=1 (CI sets it) that is a failure. Screenshots stay in WORK-DIRECTORY.
set -eu
[ $# -eq 5 ] || { echo "usage: run.sh MONITOR SIMULATOR EXPORTER SOURCE-DIRECTORY WORK-DIRECTORY" >&2 && exit 2; }
export CAM_MONITOR="$1" CAM_SIMULATOR="$2" CAM_EXPORTER="$3" CAM_SOURCE="$4"
work=$5
here=$CAM_SOURCE/tests/browser

skip() {
    echo "browser: $1: SKIPPED" >&2
    if [ "${CAM_BROWSER_REQUIRED:-}" = 1 ]; then
        echo "browser: CAM_BROWSER_REQUIRED=1 does not allow that" >&2
        exit 1
    fi
    exit 77
}
for tool in chromium node npm; do
    command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed"
done
CAM_CHROMIUM=$(command -v chromium)
export CAM_CHROMIUM

# The packages lie beside the build, not in the source tree, and are fetched once.
mkdir -p "$work"
rm -f "$work"/*.mjs "$work"/*.png
cp "$here"/*.mjs "$here"/package.json "$here"/package-lock.json "$work"
cd "$work"
if ! cmp -s package-lock.json node_modules/.of-lock; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || skip "npm could not fetch the test's packages"
    cp package-lock.json node_modules/.of-lock
fi
exec node --test --test-concurrency=1 ./*.test.mjs
