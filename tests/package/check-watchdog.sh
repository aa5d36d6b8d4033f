#!/bin/sh
# check-watchdog.sh WATCHDOG: the cron watchdog against a stand-in for systemctl, state by state.
# check() calls the functions below by name.
# shellcheck disable=SC2317
set -u
here=$(dirname "$0")
# shellcheck source=tests/package/lib.sh
. "$here/lib.sh"
[ $# -eq 1 ] || { echo "usage: $0 WATCHDOG" >&2 && exit 2; }
watchdog=$(realpath "$1")
need flock timeout setpriv

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/bare"

# The stand-in: "show" prints the properties of $work/properties, "start" is written down and answers $work/start-*.
cat >"$work/bin/systemctl" <<STUB
#!/bin/sh
verb=\$1
unit=\$2
case \$verb in
    show)
        case \$unit in
            cloudflare-analytics-monitor.service) cat "$work/properties" ;;
            *-notify.service) echo "ExecMainStatus=\$(cat "$work/notify-status")" ;;
        esac
        ;;
    start)
        echo "start \$unit" >>"$work/calls"
        case \$unit in
            *-notify.service)
                cat "$work/state/notify.env" >>"$work/calls"
                [ "\$(cat "$work/notify-status")" = 0 ]
                ;;
            *-once.service) [ ! -e "$work/once-fails" ] ;;
            *) [ ! -e "$work/start-fails" ] ;;
        esac
        ;;
esac
STUB
cat >"$work/bare/systemctl" <<STUB
#!/bin/sh
# Knows is-active and nothing else.
if [ "\$1" = is-active ]; then
    cat "$work/is-active"
    [ "\$(cat "$work/is-active")" = active ]
    exit
fi
exit 1
STUB
cat >"$work/bin/logger" <<STUB
#!/bin/sh
shift 5
echo "\$*" >>"$work/log"
STUB
cp "$work/bin/logger" "$work/bare/logger"
cat >"$work/program" <<STUB
#!/bin/sh
echo "program \$*" >>"$work/calls"
STUB
chmod +x "$work/bin/systemctl" "$work/bare/systemctl" "$work/bin/logger" "$work/bare/logger" "$work/program"

# properties ACTIVE SUB RESULT CODE STATUS RAN UNITFILE LOAD: the unit as systemctl shows it
properties() {
    printf '%s\n' "LoadState=${8:-loaded}" "UnitFileState=${7:-enabled}" "ActiveState=$1" "SubState=$2" "Result=$3" \
        "ExecMainCode=$4" "ExecMainStatus=$5" "InactiveExitTimestampMonotonic=$6" >"$work/properties"
}
run() {
    : >"$work/calls"
    : >"$work/log"
    env -i PATH="$path" CAM_PROGRAM="$work/program" CAM_WATCHDOG_STATE="$work/state" "$watchdog" 2>"$work/errors"
    status=$?
}
fresh() {
    rm -rf "$work/state" "$work/once-fails" "$work/start-fails"
    echo 0 >"$work/notify-status"
    path="$work/bin:/usr/bin:/bin"
}
count() { grep -cF -- "$1" "$work/calls"; }
quiet() { [ ! -s "$work/calls" ] && [ ! -s "$work/log" ] && [ ! -s "$work/errors" ]; }
no_calls() { [ ! -s "$work/calls" ]; }
order() { sed -n 's/^start cloudflare-analytics-monitor\(.*\)\.service$/daemon\1/p' "$work/calls" | tr '\n' ' '; }
age() { touch -d '-10 minutes' "$work/state/$1"; }

fresh
for active in active reloading deactivating; do
    properties "$active" running success 0 0 1000
    run
    check "$active: nothing is done and nothing is said" quiet
done
properties activating start success 0 0 1000
run
check "activating for a moment: nothing is done" quiet

fresh
properties failed failed watchdog 2 6 1000
run
check "failed: covered, started, told, in this order" equal "daemon-once daemon daemon-notify " "$(order)"
check "failed: the message names how it failed" contains "$work/calls" "is down (failed, watchdog). One poll was run"
check "failed: the watchdog itself succeeds" equal 0 "$status"
run
check "still failed: covered and started again" equal "daemon-once daemon " "$(order)"
check "still failed: not told again" equal 0 "$(count notify)"
properties active running success 0 0 1000
run
check "back: told once" equal "daemon-notify " "$(order)"
check "back: the message says so" contains "$work/calls" "is up again"
run
check "back for longer: quiet" quiet
properties failed failed signal 2 9 1000
run
check "the next outage is told anew" equal 1 "$(count "start cloudflare-analytics-monitor-notify.service")"

fresh
touch "$work/once-fails" "$work/start-fails"
properties failed failed exit-code 1 1 1000
run
check "poll and start fail: still told" contains "$work/calls" "The poll in its place failed as well. Starting it again failed."
check "poll and start fail: both in the log" equal 2 "$(grep -c 'see journalctl' "$work/log")"

fresh
properties failed failed signal 2 9 1000
echo 3 >"$work/notify-status"
run
run
check "the message could not be queued: tried again at the next run" equal 1 "$(count CAM_NOTIFY_TEXT)"
echo 1 >"$work/notify-status"
run
run
check "the message is queued but not delivered: not queued twice" equal 0 "$(count CAM_NOTIFY_TEXT)"

fresh
properties inactive dead success 1 0 1000
run
check "stopped on purpose: left alone" quiet
properties inactive dead exit-code 1 1 1000
run
check "stopped on purpose between two restarts: left alone" quiet
properties inactive dead success 0 0 0
run
check "never started since boot: covered and started" equal "daemon-once daemon daemon-notify " "$(order)"
properties inactive dead success 0 0 0 disabled
run
check "disabled: left alone" quiet
properties inactive dead success 0 0 0 masked masked
run
check "masked: left alone" quiet
properties failed failed signal 2 9 1000 disabled
run
check "disabled and failed: left alone" quiet
properties inactive dead success 0 0 0 "" not-found
run
check "removed: left alone" quiet

fresh
properties failed failed exit-code 1 2 1000
run
check "bad settings: neither polled nor started nor told" no_calls
check "bad settings: said in the log" contains "$work/log" "refused its settings"
run
check "bad settings: said once" quiet
properties active running success 0 0 1000
run
properties failed failed exit-code 1 2 1000
run
check "bad settings again later: said again" contains "$work/log" "refused its settings"
properties failed failed signal 2 2 1000
run
check "killed by signal 2 is not exit 2: covered" contains "$work/calls" "start cloudflare-analytics-monitor-once.service"

fresh
properties activating auto-restart exit-code 1 1 1000
run
check "waiting for its restart: nothing is done at first" quiet
run
check "waiting for its restart, looked at again at once: nothing is done" quiet
age activating
run
check "restarting in vain for minutes: covered and told, the starting is left to systemd" \
    equal "daemon-once daemon-notify " "$(order)"
check "restarting in vain: the message says so" contains "$work/calls" "systemd keeps trying to start it"
properties active running success 0 0 1000
run
check "restarting at last worked: told" contains "$work/calls" "is up again"

fresh
properties failed failed signal 2 9 1000
mkdir -m 0700 "$work/state"
exec 8>"$work/state/lock"
flock 8
run
exec 8>&-
check "another run is at work: nothing is done" no_calls

fresh
mkdir "$work/elsewhere"
ln -s "$work/elsewhere" "$work/state"
run
check "a link in place of the state directory: covered" contains "$work/calls" "start cloudflare-analytics-monitor-once.service"
check "a link in place of the state directory: nothing written through it" equal "" "$(ls -A "$work/elsewhere")"
rm "$work/state"

fresh
path="$work/bare:/usr/bin:/bin"
echo active >"$work/is-active"
run
check "systemctl knows only is-active, active: nothing is done" quiet
for word in inactive failed unknown; do
    fresh
    path="$work/bare:/usr/bin:/bin"
    echo "$word" >"$work/is-active"
    run
    check "systemctl knows only is-active, $word: polls itself" contains "$work/calls" "program --once"
    check "systemctl knows only is-active, $word: tells" contains "$work/calls" "program notify Network Analytics Monitor on"
done
run
check "systemctl knows only is-active, still down: polls" equal 1 "$(count "program --once")"
check "systemctl knows only is-active, still down: not told again" equal 0 "$(count "program notify")"
echo active >"$work/is-active"
run
check "systemctl knows only is-active, up again: told" contains "$work/calls" "is up again"

fresh
: >"$work/is-active"
path="$work/bare:/usr/bin:/bin"
run
check "systemd is not running: polls and says nothing" equal "program --once" "$(cat "$work/calls")"

# A PATH with everything but systemctl; the script adds the usual directories to it, so they are shadowed by a copy
# of the script that does not.
fresh
mkdir "$work/tools"
for tool in sh id uname tr mkdir touch rm find flock timeout sed env cat; do
    ln -s "$(command -v "$tool")" "$work/tools/$tool"
done
cp "$work/bin/logger" "$work/tools/logger"
sed '/^PATH=/d' "$watchdog" >"$work/watchdog-bare"
chmod +x "$work/watchdog-bare"
watchdog="$work/watchdog-bare"
path="$work/tools"
run
check "no systemctl at all: polls and says nothing" equal "program --once" "$(cat "$work/calls")"

verdict
