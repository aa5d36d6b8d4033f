#!/bin/sh
# check-deb.sh BUILD-DIRECTORY|PACKAGE.deb: builds the package and takes it through its life (install, upgrade, remove,
# purge) in a copy-on-write image of this machine's root. Everything is mounted in a mount namespace of its own, so
# that nothing stays mounted however the test ends.
# check() calls the functions below by name.
# shellcheck disable=SC2317
set -u
here=$(realpath "$(dirname "$0")")
# shellcheck source=tests/package/lib.sh
. "$here/lib.sh"

name=cloudflare-analytics-monitor
if [ "${1-}" != --inside ]; then
    [ $# -eq 1 ] || { echo "usage: $0 BUILD-DIRECTORY|PACKAGE.deb" >&2 && exit 2; }
    [ "$(id -u)" -eq 0 ] || skip "installing a package, if only in an image, needs root"
    need dpkg dpkg-deb dpkg-shlibdeps cpack unshare systemd-sysusers deb-systemd-helper
    if [ -d "$1" ] && [ ! -e "$1/CPackConfig.cmake" ]; then
        skip "$1 is not configured for /usr: cmake -DCMAKE_INSTALL_PREFIX=/usr, or the preset release"
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' HUP INT TERM
    unshare --mount --propagation private true 2>/dev/null || skip "no mount namespaces here"
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
    unshare --mount --propagation private "$0" --inside "$package" "$work/mount"
    exit
fi

package=$2
mount=$3
mount -t tmpfs tmpfs "$mount" || exit 1
mkdir "$mount/upper" "$mount/work" "$mount/root" "$mount/new"
root=$mount/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$mount/upper,workdir=$mount/work" "$root" 2>"$mount/error" ||
    skip "cannot put an overlay over /: $(cat "$mount/error")"
mount --bind /dev "$root/dev" && mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/run" &&
    mount -t tmpfs tmpfs "$root/tmp" || exit 1

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
if inside dpkg-query --status $name >/dev/null 2>&1; then
    inside dpkg --purge $name >/dev/null || exit 1
fi
there() { [ -e "$root$1" ] || [ -L "$root$1" ]; }
gone() { ! there "$1"; }
mode() { equal "$2" "$(inside stat -c '%U:%G %a' "$1")"; }      # mode PATH "OWNER:GROUP MODE"
holds() { grep -qF -- "$2" "$root$1"; }
dpkg_does() {
    if ! inside dpkg "$@" >"$mount/log" 2>&1; then
        cat "$mount/log"
        return 1
    fi
}

echo "-- the package itself"
printf '      %s, %s bytes\n' "$(basename "$package")" "$(stat -c %s "$package")"
if command -v lintian >/dev/null 2>&1; then
    check "lintian: neither errors nor warnings" lintian --allow-root --fail-on error,warning "$package"
else
    echo "not checked: lintian is not installed"
fi
dpkg-deb --raw-extract "$package" "$mount/new"
no_text() { ! grep -rqF -- "$1" "$mount/new"; }
check "no path of the build machine in it" no_text "${here%/tests/package}"

echo "-- install"
before=$(wc -l <"$root/etc/passwd")
cp "$package" "$root/tmp/first.deb"
check "installs" dpkg_does --install /tmp/first.deb
check "says that it waits for its settings" contains "$mount/log" "not configured yet"
check "the user is made" holds /etc/passwd cloudflare-monitor:
check "/etc/passwd has that one line more" equal $((before + 1)) "$(wc -l <"$root/etc/passwd")"
check "program" mode /usr/bin/$name "root:root 755"
check "watchdog" mode /usr/libexec/$name/watchdog "root:root 755"
check "alert is the program by another name" equal /usr/bin/$name "$(inside realpath "/usr/libexec/$name/alert")"
alert_is_unanswered() {
    inside "/usr/libexec/$name/alert" --api 127.0.0.1:1 >"$mount/log" 2>&1
    [ $? -eq 3 ] && contains "$mount/log" "no daemon answers at 127.0.0.1:1"
}
check "alert says that no daemon answers" alert_is_unanswered
check "directory of the settings" mode /etc/$name "root:cloudflare-monitor 750"
check "settings" mode /etc/$name/settings.json "root:cloudflare-monitor 640"
check "directory of the tokens" mode /etc/$name/credentials "root:root 700"
for token in cloudflare-api-token telegram-bot-token; do
    check "$token: empty, for root only" mode /etc/$name/credentials/$token "root:root 600"
done
for unit in $name $name-once $name-notify; do
    check "unit $unit" mode /usr/lib/systemd/system/"$unit".service "root:root 644"
done
check "the daemon is enabled" there /etc/systemd/system/multi-user.target.wants/$name.service
check "cron file" mode /etc/cron.d/$name "root:root 644"
check "cron file names the watchdog where it is" holds /etc/cron.d/$name /usr/libexec/$name/watchdog
check "logrotate file" mode /etc/logrotate.d/$name "root:root 644"
for file in /usr/share/man/man8/$name.8.gz /usr/share/doc/$name/copyright /usr/share/doc/$name/changelog.gz \
    /usr/share/bash-completion/completions/$name /usr/lib/sysusers.d/$name.conf; do
    check "$file" mode "$file" "root:root 644"
done
check "dpkg finds nothing amiss" dpkg_does --verify $name
check "dpkg --verify has nothing to say" equal "" "$(grep -v ' c /etc/' "$mount/log")"
check "the program runs" inside setpriv --reuid=cloudflare-monitor --regid=cloudflare-monitor --init-groups \
    /usr/bin/$name --version
if inside sh -c 'command -v logrotate' >/dev/null; then
    inside sh -c "install -d -m 0750 -o cloudflare-monitor -g cloudflare-monitor /var/log/$name &&
        echo line >/var/log/$name/monitor.log && chown cloudflare-monitor: /var/log/$name/monitor.log"
    check "logrotate rotates" inside logrotate --force --state /tmp/logrotate.state /etc/logrotate.d/$name
    check "logrotate: the old log" there /var/log/$name/monitor.log.1
    check "logrotate: the new log" mode /var/log/$name/monitor.log "cloudflare-monitor:cloudflare-monitor 640"
fi

echo "-- upgrade"
sed -i 's/"account_id": ""/"account_id": "edited by the operator"/' "$root/etc/$name/settings.json"
echo secret >"$root/etc/$name/credentials/telegram-bot-token"
inside install -d -m 0750 -o cloudflare-monitor -g cloudflare-monitor /var/lib/$name
echo data >"$root/var/lib/$name/magic_transit.db"
sed -i 's/^Version: .*/Version: 99.0.0/' "$mount/new/DEBIAN/control"
sed -i 's/"lookback_minutes": 15/"lookback_minutes": 16/' "$mount/new/etc/$name/settings.json"
sed -i 's/rotate 8/rotate 9/' "$mount/new/etc/logrotate.d/$name"
dpkg-deb --root-owner-group --build "$mount/new" "$root/tmp/second.deb" >/dev/null || exit 1
check "upgrades" dpkg_does --force-confdef --force-confold --install /tmp/second.deb
check "edited settings stay" holds /etc/$name/settings.json "edited by the operator"
check "edited settings keep owner and mode" mode /etc/$name/settings.json "root:cloudflare-monitor 640"
check "the new settings lie beside them" holds /etc/$name/settings.json.dpkg-dist '"lookback_minutes": 16'
check "a file that was not edited is replaced" holds /etc/logrotate.d/$name "rotate 9"
check "the token stays" holds /etc/$name/credentials/telegram-bot-token secret
check "the token is still for root only" mode /etc/$name/credentials/telegram-bot-token "root:root 600"

echo "-- the cron watchdog where systemd does not run, as in a container"
cat >"$root/tmp/program" <<'STUB'
#!/bin/sh
echo "$(id -un) $* $(cat "$CREDENTIALS_DIRECTORY/telegram-bot-token") $(stat -c '%U %a' "$CREDENTIALS_DIRECTORY")" >>/tmp/calls
STUB
chmod 755 "$root/tmp/program"
check "runs" inside CAM_PROGRAM=/tmp/program /usr/libexec/$name/watchdog
check "polls as the service's user, with copies of the tokens" \
    equal "cloudflare-monitor --once secret cloudflare-monitor 700" "$(cat "$root/tmp/calls")"
check "the copies are gone afterwards" equal "" "$(find "$root/tmp" -name 'cam-credentials*')"

echo "-- remove"
check "removes" dpkg_does --remove $name
check "the program is gone" gone /usr/bin/$name
check "the units are gone" gone /usr/lib/systemd/system/$name.service
for kept in /etc/$name/settings.json /etc/$name/credentials/telegram-bot-token /var/lib/$name/magic_transit.db \
    /etc/cron.d/$name; do
    check "$kept stays" there "$kept"
done
check "the cron line that stays does nothing" inside sh -c "$(sed -n 's/^\*.* root \(.*\)&&.*/! \1/p' "$root/etc/cron.d/$name")"

echo "-- purge"
mkdir "$root/var/lib/$name-of-somebody-else"
echo mine >"$root/etc/$name/notes-of-the-operator"
check "purges" dpkg_does --purge $name
for file in /var/lib/$name /var/log/$name /etc/$name/credentials /etc/$name/settings.json /etc/cron.d/$name \
    /etc/logrotate.d/$name /etc/systemd/system/multi-user.target.wants/$name.service; do
    check "$file is gone" gone "$file"
done
check "a neighbour's directory stays" there /var/lib/$name-of-somebody-else
check "a file of the operator stays" there /etc/$name/notes-of-the-operator
# Whatever else this life has left behind: files in the upper layer that dpkg, the user's making and logs do not explain.
left() {
    (cd "$mount/upper" && find . -type f | grep -vE '^\./(var/lib/dpkg/|var/log/(dpkg\.log|alternatives\.log)|var/cache/)' |
        grep -vE '^\./etc/(passwd|group|shadow|gshadow|\.pwd\.lock|subuid|subgid)-?$' | grep -vE "/notes-of-the-operator$")
}
check "nothing else is left behind" equal "" "$(left)"
verdict
