# What the package tests share. Sourced, not run.
# shellcheck shell=sh disable=SC2317

failures=0
pass() { printf 'ok    %s\n' "$1"; }
fail() {
    printf 'FAIL  %s\n' "$1"
    failures=$((failures + 1))
}
# check WHAT COMMAND ARGUMENT...: one line for each claim
check() {
    claim=$1
    shift
    if "$@"; then pass "$claim"; else fail "$claim"; fi
}
# skip WHY: ctest shows the test as skipped and prints the reason (SKIP_RETURN_CODE)
skip() {
    printf 'SKIPPED: %s\n' "$1"
    exit 77
}
need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed (config/apt-packages-ci.txt)"
    done
}
verdict() {
    if [ "$failures" -ne 0 ]; then
        printf '%s check(s) failed\n' "$failures"
        exit 1
    fi
    exit 0
}
contains() { grep -qF -- "$2" "$1"; }       # contains FILE TEXT
lacks() { ! grep -qF -- "$2" "$1"; }
equal() {                                   # equal WANTED GOT
    [ "$1" = "$2" ] || { printf '      wanted "%s", got "%s"\n' "$1" "$2" && return 1; }
}
