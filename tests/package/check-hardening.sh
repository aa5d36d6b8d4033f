#!/bin/sh
# check-hardening.sh PROGRAM: what the compiler and the linker promised, read off the executable. (Not to be seen
# there: -fcf-protection, because the C library's own start files carry no such mark, and _GLIBCXX_ASSERTIONS.)
# check() calls the functions below by name.
# shellcheck disable=SC2317
set -u
here=$(dirname "$0")
# shellcheck source=tests/package/lib.sh
. "$here/lib.sh"
[ $# -eq 1 ] || { echo "usage: $0 PROGRAM" >&2 && exit 2; }
need readelf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LC_ALL=C readelf --wide --file-header --program-headers --dynamic "$1" >"$work/elf" || exit 1
LC_ALL=C readelf --wide --dyn-syms "$1" >"$work/symbols" || exit 1

matches() { grep -qE -- "$2" "$1"; }
check "position independent (PIE)" matches "$work/elf" '^ *Type: *DYN '
check "relocations become read-only (RELRO)" matches "$work/elf" '^ *GNU_RELRO '
check "all symbols are bound at start (full RELRO)" matches "$work/elf" '\((FLAGS|FLAGS_1|BIND_NOW)\).*(BIND_NOW|NOW)|\(BIND_NOW\)'
check "the stack is not executable (NX)" matches "$work/elf" '^ *GNU_STACK .* RW +0x'
# Fields: type, offset, two addresses, two sizes, flags, alignment.
no_writable_code() { ! grep -E '^ *LOAD ' "$work/elf" | grep -qE 'R?WE +0x'; }
check "no segment is writable and executable" no_writable_code
check "stack protector" matches "$work/symbols" '__stack_chk_fail'
check "checked library calls (FORTIFY)" matches "$work/symbols" ' __[a-z0-9_]+_chk(@|$)'
no_search_path() { ! grep -qE '\((RPATH|RUNPATH)\)' "$work/elf"; }
check "no library search path of the build machine" no_search_path
verdict
