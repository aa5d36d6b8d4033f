#!/bin/sh
# check-unit.sh UNIT-DIRECTORY PROGRAM: the units are valid, tightly sandboxed, and say what operators rely on.
# check() calls the functions below by name.
# shellcheck disable=SC2317
set -u
here=$(dirname "$0")
# shellcheck source=tests/package/lib.sh
. "$here/lib.sh"
[ $# -eq 2 ] || { echo "usage: $0 UNIT-DIRECTORY PROGRAM" >&2 && exit 2; }
units=$1
program=$(realpath "$2")
need systemd-analyze

# systemd-analyze looks for the program where the unit starts it, and that is not installed here.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for unit in "$units"/*.service; do
    sed "s|^ExecStart=[^ ]*/cloudflare-analytics-monitor|ExecStart=$program|" "$unit" >"$work/$(basename "$unit")"
done

says() { grep -qxF -- "$2" "$1"; }
verified() { systemd-analyze verify --man=no --recursive-errors=no "$1"; }
# In tenths: less than 2.0 of 10.
tight() { systemd-analyze security --offline=true --threshold=19 --no-pager "$1" >"$work/exposure"; }

for name in cloudflare-analytics-monitor cloudflare-analytics-monitor-once cloudflare-analytics-monitor-notify; do
    unit=$work/$name.service
    check "$name: valid" verified "$unit"
    check "$name: exposure below 2.0" tight "$unit"
    sed -n 's/.*\(Overall exposure.*\)/      \1/p' "$work/exposure"
    check "$name: own user" says "$unit" User=cloudflare-monitor
    check "$name: tokens come as credentials" \
        says "$unit" LoadCredential=telegram-bot-token:/etc/cloudflare-analytics-monitor/credentials/telegram-bot-token
    check "$name: no placeholder is left" lacks "$unit" @CAM
done
daemon=$work/cloudflare-analytics-monitor.service
for line in Type=notify NotifyAccess=main WatchdogSec=90 Restart=always RestartSec=30 RestartPreventExitStatus=2 \
    StartLimitIntervalSec=0 TimeoutStopSec=20 KillMode=mixed After=network-online.target "ExecReload=/bin/kill -HUP \$MAINPID" \
    WantedBy=multi-user.target; do
    check "the daemon: $line" says "$daemon" "$line"
done
verdict
