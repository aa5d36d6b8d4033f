#!/bin/sh
# check-files.sh SOURCE-DIRECTORY: scripts, settings, man page and the other installed texts, each by its own checker.
# check() calls the functions below by name.
# shellcheck disable=SC2317
set -u
here=$(dirname "$0")
# shellcheck source=tests/package/lib.sh
. "$here/lib.sh"
[ $# -eq 1 ] || { echo "usage: $0 SOURCE-DIRECTORY" >&2 && exit 2; }
need shellcheck mandoc jq
cd "$1" || exit 1

for script in config/dev config/demo config/watchdog config/debian/postinst config/debian/prerm \
    config/debian/postrm config/bash-completion/cloudflare-analytics-monitor tests/package/*.sh tests/openapi/*.sh; do
    check "$script: shellcheck" shellcheck --external-sources "$script"
done
check "man page: mandoc" mandoc -Tlint -W warning docs/cloudflare-analytics-monitor.8

is_json() { jq -e . "$1" >/dev/null; }
keys() { jq -c '[paths | map(select(type == "string"))] | unique' "$1"; }
for settings in config/settings.package.json config/settings.example.json; do
    check "$settings: JSON" is_json "$settings"
done
check "the two settings files have the same keys" \
    equal "$(keys config/settings.package.json)" "$(keys config/settings.example.json)"
no_secret() { jq -e '.cloudflare.api_token == "" and .telegram.bot_token == ""' "$1" >/dev/null; }
check "config/settings.package.json: no token in it" no_secret config/settings.package.json
check "config/settings.example.json: no token in it" no_secret config/settings.example.json

for option in --once -1 --test -t --lookback -l --config -c --check-config --log-level --version --help notify --recovered \
    alert --api; do
    check "completion knows $option" grep -qwF -e "$option" config/bash-completion/cloudflare-analytics-monitor
    plain=${option#-}
    check "man page knows $option" grep -qwF -e "${plain#-}" docs/cloudflare-analytics-monitor.8
done
sorted() { LC_ALL=C sort --check --unique "$1"; }
one_name_a_line() { ! grep -qvE '^[a-z0-9][a-z0-9.+-]+$' "$1"; }
for list in config/apt-packages.txt config/apt-packages-ci.txt; do
    check "$list: sorted, nothing twice" sorted "$list"
    check "$list: one package a line" one_name_a_line "$list"
done
verdict
