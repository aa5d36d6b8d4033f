#!/bin/sh
# systemd-boot.sh BUILD-DIRECTORY|PACKAGE.deb SIMULATOR: boots systemd in a container (a copy-on-write image of this machine's
# root, its own network), installs the package there and lives through a service's days: start, reload, hang, crash,
# bad settings, outage, stop, upgrade, removal, with a simulated Cloudflare and Telegram. Takes about two minutes.
#
# All mounts are made in a mount namespace of their own and the container is the only process left to end, so nothing
# stays behind however the test ends.
# check() calls the functions below by name.
# shellcheck disable=SC2317
set -u
here=$(realpath "$(dirname "$0")")
# shellcheck source=tests/package/lib.sh
. "$here/lib.sh"

name=cloudflare-analytics-monitor
unit=$name.service
if [ "${1-}" != --inside ]; then
    [ $# -eq 2 ] || { echo "usage: $0 BUILD-DIRECTORY|PACKAGE.deb SIMULATOR" >&2 && exit 2; }
    [ "$(id -u)" -eq 0 ] || skip "a container needs root"
    need systemd-nspawn nsenter unshare cpack dpkg-shlibdeps curl jq dbus-daemon systemd-sysusers deb-systemd-helper
    [ -x "$2" ] || skip "the simulator $2 is not built"
    if [ -d "$1" ] && [ ! -e "$1/CPackConfig.cmake" ]; then
        skip "$1 is not configured for /usr: cmake -DCMAKE_INSTALL_PREFIX=/usr, or the preset release"
    fi
    unshare --mount --propagation private true 2>/dev/null || skip "no mount namespaces here"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' HUP INT TERM
    if [ -d "$1" ]; then
        if ! cpack --config "$1/CPackConfig.cmake" -G DEB -B "$work/pack" >"$work/cpack.log" 2>&1; then
            cat "$work/cpack.log"
            exit 1
        fi
        package=$(find "$work/pack" -maxdepth 1 -name '*.deb')
    else
        package=$(realpath "$1")
    fi
    mkdir "$work/mount"
    unshare --mount --propagation private "$0" --inside "$package" "$(realpath "$2")" "$work/mount"
    exit
fi

package=$2
simulator=$3
mount=$4
leader=
nspawn=
simulated=
# By process id only: the simulator, then the container's systemd (SIGRTMIN+4 is "power off"), then its keeper.
clean_up() {
    if [ -n "$simulated" ]; then kill "$simulated" 2>/dev/null; fi
    if [ -n "$nspawn" ]; then
        if [ -n "$leader" ]; then kill -s RTMIN+4 "$leader" 2>/dev/null; fi
        # shellcheck disable=SC2034
        for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
            kill -0 "$nspawn" 2>/dev/null || break
            sleep 1
        done
        kill "$nspawn" 2>/dev/null
        wait "$nspawn" 2>/dev/null
    fi
    cd / && umount -R "$mount" 2>/dev/null
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

mount -t tmpfs tmpfs "$mount" || exit 1
mkdir "$mount/upper" "$mount/work" "$mount/root"
root=$mount/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$mount/upper,workdir=$mount/work" "$root" 2>"$mount/error" ||
    skip "cannot put an overlay over /: $(cat "$mount/error")"

# ---- a bare machine: none of this one's own services, an empty machine id, a journal in memory
find "$root"/etc/systemd/system -name '*.wants' -prune -exec rm -rf {} +
: >"$root/etc/machine-id"
rm -rf "$root/var/log/journal" "$root/etc/systemd/system/$unit.d"
# Images for containers forbid packages to start and stop services; here that is what is tested.
rm -f "$root/usr/sbin/policy-rc.d"
if chroot "$root" dpkg-query --status $name >/dev/null 2>&1; then
    chroot "$root" dpkg --purge $name >/dev/null || exit 1
fi
cp "$package" "$root/root/package.deb"
cat >"$root/etc/systemd/system/cam-probe.service" <<'UNIT'
[Service]
ExecStart=/bin/sleep infinity
UNIT
drop_in=$root/etc/systemd/system/$unit.d
mkdir "$drop_in"
printf '[Service]\nRestartSec=1\nWatchdogSec=15\n' >"$drop_in/quick.conf"

systemd-nspawn --quiet --boot --directory="$root" --machine="cam-test-$$" --register=no --keep-unit --private-network \
    --console=pipe --kill-signal=SIGRTMIN+3 -- --unit=basic.target >"$mount/console" 2>&1 </dev/null &
nspawn=$!

# wait_for SECONDS COMMAND ARGUMENT...
wait_for() {
    left=$(($1 * 5))
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.2
    done
}
find_leader() {
    leader=$(pgrep -P "$nspawn" | sed 1q)
    [ -n "$leader" ]
}
inside() {
    nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup -- \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
booted() { inside systemctl --quiet is-active basic.target dbus.socket >/dev/null 2>&1; }
wait_for 60 find_leader || { sed 's/^/      /' "$mount/console" && skip "systemd-nspawn does not start here"; }
if ! wait_for 60 booted; then
    sed 's/^/      /' "$mount/console"
    skip "systemd does not boot in a container here"
fi
pass "systemd $(inside systemctl --version | sed 1q) is up in a container"

# ---- the simulated world, in the container's network
cat >"$mount/scenario.json" <<'JSON'
{"cloudflare": {"api_token": "boot-test-cloudflare-token", "account_ids": ["0123456789abcdef0123456789abcdef"]},
 "telegram": {"bot_token": "123456789:boot-test-telegram-token", "chats": [{"id": -1001234567890}]}}
JSON
nsenter --target "$leader" --net -- "$simulator" --scenario "$mount/scenario.json" --port 0 \
    --port-file "$mount/port" >"$mount/simulator" 2>&1 &
simulated=$!
wait_for 60 test -s "$mount/port" || { cat "$mount/simulator" && exit 1; }
port=$(cat "$mount/port")

messages() { nsenter --target "$leader" --net -- curl -sS "http://127.0.0.1:$port/sim/messages"; }
count() { messages | jq --arg text "$1" '[.[] | select(.text | contains($text))] | length'; }
told() { [ "$(count "$1")" -ge "$2" ]; }                        # told TEXT TIMES
property() { inside systemctl show "${2:-$unit}" --property="$1" --value; }
is() { equal "$2" "$(property "$1" "${3:-$unit}")"; }           # is PROPERTY VALUE [UNIT]
becomes() { [ "$(property "$1")" = "$2" ]; }
other_pid() { [ "$(property MainPID)" != "$1" ] && [ "$(property MainPID)" != 0 ] && becomes ActiveState active; }
journal() { inside journalctl --no-pager --output=cat --unit="$1"; }
# Only what is new since the last mark.
mark() { inside journalctl --sync && inside journalctl --no-pager --quiet --lines=0 --cursor-file=/run/cam-cursor >/dev/null; }
logged() {
    inside journalctl --no-pager --quiet --output=cat --after-cursor="$(inside cat /run/cam-cursor)" | grep -qiE -- "$1"
}
watchdog() { inside /usr/libexec/$name/watchdog; }
dpkg_does() {
    if ! inside dpkg "$@" >"$mount/log" 2>&1; then
        cat "$mount/log"
        return 1
    fi
}
show_state() { inside systemctl --no-pager --full status "$unit" 2>&1 | sed 's/^/      /'; }

echo "-- install"
if ! inside dpkg --install /root/package.deb >"$mount/log" 2>&1; then
    cat "$mount/log"
    exit 1
fi
check "unconfigured: installed, enabled, not started" equal "enabled inactive" \
    "$(inside systemctl is-enabled "$unit") $(inside systemctl is-active "$unit")"
jq --arg port "$port" '.cloudflare.account_id = "0123456789abcdef0123456789abcdef" | .telegram.chat_id = "-1001234567890" |
    .cloudflare.api_url = "http://127.0.0.1:" + $port + "/client/v4" | .telegram.api_url = "http://127.0.0.1:" + $port + "/telegram" |
    .prefixes.mine = ["185.54.80.0/22"] | .services = {"Probe": "cam-probe", "Absent": "cam-absent"}' \
    "$root/etc/$name/settings.json" >"$mount/settings.json" || exit 1
inside sh -c "cat >/etc/$name/settings.json" <"$mount/settings.json"
inside systemctl start cam-probe.service

echo "-- bad settings"
inside systemctl start "$unit" 2>/dev/null
wait_for 60 becomes ActiveState failed
check "empty tokens: failed at once" is ActiveState failed
check "empty tokens: exit status 2" is ExecMainStatus 2
check "empty tokens: not restarted" is NRestarts 0
inside rm /etc/$name/credentials/telegram-bot-token
inside systemctl start "$unit" 2>/dev/null
wait_for 60 becomes ActiveState failed
check "a token file is missing: the program itself says so, exit status 2" is ExecMainStatus 2
mark
watchdog
watchdog
inside journalctl --sync
check "the cron watchdog starts nothing and says so" logged "refused its settings"
check "once" equal 1 "$(inside journalctl --no-pager --output=cat -t $name-watchdog | grep -c 'refused its settings')"
check "still failed" is ActiveState failed
printf 'boot-test-cloudflare-token\n' | inside sh -c "umask 077 && cat >/etc/$name/credentials/cloudflare-api-token"
printf '123456789:boot-test-telegram-token\n' | inside sh -c "umask 077 && cat >/etc/$name/credentials/telegram-bot-token"

echo "-- start"
mark
inside systemctl start "$unit"
if ! check "systemctl start returns when the daemon is ready: active" is ActiveState active; then show_state; fi
check "running" is SubState running
check "startup report" wait_for 60 told STARTED 1
messages | jq -r '.[].text' | sed -n '/⚙/,/|/s/^/      /p'
check "the state of another service, asked over D-Bus from the sandbox" told "✅ Probe" 1
check "the state of a service that is not there" told "❌ Absent" 1
pid=$(property MainPID)
status() { inside sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status" | awk '{print $1}'; }
check "runs as its own user" equal cloudflare-monitor "$(inside stat -c %U "/proc/$pid")"
check "no capabilities" equal 0000000000000000 "$(status CapBnd)"
check "no new privileges" equal 1 "$(status NoNewPrivs)"
check "system calls are filtered" equal 2 "$(status Seccomp)"
no_token() { ! inside sh -c "tr '\\0' '\\n' </proc/$pid/cmdline; tr '\\0' '\\n' </proc/$pid/environ" | grep -q boot-test; }
check "no token among arguments and environment" no_token
check "database, for user and group only" equal "cloudflare-monitor 640" \
    "$(inside stat -c '%U %a' /var/lib/$name/magic_transit.db)"
log=/var/log/$name/network-analytics-monitor.log
check "log file, for user and group only" equal "cloudflare-monitor 640" "$(inside stat -c '%U %a' $log)"
inside journalctl --sync
check "lines in the journal" logged "."
no_token_told() { ! { journal "$unit" && inside cat "$log" && messages; } | grep -q boot-test; }
check "no token in journal, log and messages" no_token_told
tight() { inside systemd-analyze security --no-pager --threshold=19 "$unit" >"$mount/security"; }
check "exposure as loaded is below 2.0" tight
sed -n 's/.*\(Overall exposure.*\)/      \1/p' "$mount/security"

echo "-- reload"
mark
check "systemctl reload" inside systemctl reload "$unit"
check "the journal says that the settings were read again" wait_for 60 logged "settings|reload"
check "the same process goes on" is MainPID "$pid"
mark
inside sh -c "echo '{' >/etc/$name/settings.json && systemctl reload $unit"
check "broken settings: the journal says why" wait_for 60 logged "settings"
check "broken settings: the daemon goes on with the old ones" is MainPID "$pid"
inside sh -c "cat >/etc/$name/settings.json" <"$mount/settings.json"
check "logrotate turns the log over" inside logrotate --force --state /run/logrotate.state /etc/logrotate.d/$name
check "the daemon writes to the new one" wait_for 60 inside test -s "$log"

echo "-- crash and hang"
pid=$(property MainPID)
inside kill -9 "$pid"
check "kill -9: started again" wait_for 60 other_pid "$pid"
check "startup report of the new process" wait_for 60 told STARTED 2
pid=$(property MainPID)
mark
inside kill -STOP "$pid"
check "hung: killed by systemd's watchdog and started again" wait_for 120 other_pid "$pid"
inside journalctl --sync
check "the journal names the watchdog" logged "watchdog timeout"

echo "-- stop"
reports=$(count STOPPED)
inside systemctl stop "$unit"
check "shutdown report" wait_for 60 told STOPPED $((reports + 1))
check "inactive" is ActiveState inactive
check "a clean end" is Result success
check "exit status 0" is ExecMainStatus 0
watchdog
check "the cron watchdog leaves it alone" is ActiveState inactive
printf '[Service]\nRestartSec=60\nWatchdogSec=15\n' | inside sh -c "cat >/etc/systemd/system/$unit.d/quick.conf && systemctl daemon-reload"
inside systemctl start "$unit"
inside kill -9 "$(property MainPID)"
wait_for 60 becomes SubState auto-restart
inside systemctl stop "$unit"
check "stopped between two restarts: inactive" is ActiveState inactive
watchdog
check "the cron watchdog leaves that alone, too" is ActiveState inactive

echo "-- outage"
printf '[Service]\nRestart=no\nWatchdogSec=15\n' | inside sh -c "cat >/etc/systemd/system/$unit.d/quick.conf && systemctl daemon-reload"
inside systemctl start "$unit"
inside kill -9 "$(property MainPID)"
wait_for 60 becomes ActiveState failed
mark
watchdog
inside journalctl --sync
check "down: one poll was run, and ended well" logged "finished $name-once"
check "down: the daemon is started again" is ActiveState active
check "down: the chat is told" wait_for 60 told "is down (failed, signal)" 1
watchdog
check "up again: the chat is told" wait_for 60 told "is up again" 1
watchdog
check "each once" equal "1 1" "$(count "is down") $(count "is up again")"
printf '[Service]\nRestartSec=1\n' | inside sh -c "cat >/etc/systemd/system/$unit.d/quick.conf && systemctl daemon-reload"

echo "-- upgrade and removal"
pid=$(property MainPID)
check "installs again over itself" dpkg_does --install /root/package.deb
check "the running daemon is restarted" wait_for 60 other_pid "$pid"
check "removes" dpkg_does --remove $name
no_process() { ! inside pgrep -u cloudflare-monitor; }
check "the daemon is stopped" no_process
check "purges" dpkg_does --purge $name
check "systemd has forgotten it" is LoadState not-found

if [ "$failures" -ne 0 ]; then
    echo "-- the journal of the service"
    inside journalctl --no-pager --lines=80 2>&1 | sed 's/^/      /'
fi
verdict
