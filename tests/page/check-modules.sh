#!/bin/sh
# check-modules.sh PAGE-FOLDER: the page's modules under node's own test runner. Skipped aloud (77) without node, unless
# CAM_BROWSER_REQUIRED=1.
set -eu
page=$1
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v node >/dev/null 2>&1 || ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)'; then
    echo "page.modules: node 18 or newer is not installed: SKIPPED" >&2
    if [ "${CAM_BROWSER_REQUIRED:-}" = 1 ]; then exit 1; fi
    exit 77
fi
# In a copy, since node takes a *.js for a module only where a package.json says so.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$page"/* "$here"/*.test.mjs "$work"
echo '{"type": "module"}' >"$work/package.json"
cd "$work"
node --test
