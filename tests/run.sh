#!/bin/sh
# The tests, with one command, from any folder:
#
#     sh tests/run.sh             sets up, builds into build/, runs every suite but the long ones
#     sh tests/run.sh SUITE...    some suites
#     sh tests/run.sh --list      their names
#     sh tests/run.sh --set-up SUITE...   installs what some suites need, and nothing more
#
# SUGAR_PYTHON names the interpreter that has torch, for peers and bench; SUGAR_BENCH holds options of the benchmark:
# with SUGAR_BENCH=--quick it takes about two minutes; SUGAR_SYSTEMS names releases of Debian for systems, such as
# "bookworm trixie"; SUGAR_PYTHONS a folder of interpreters for wheels, as pyenv's `versions`.
#
# Exit status: 0 if nothing failed, 1 if a suite failed, 2 if it could not be set up or asked wrongly.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 2
build=$root/build
. "$root/tests/setup.sh"

# What tests/suites.txt says of a suite in a field; nothing if it has no such field.
field() {
    awk -v suite="$1" -v field="$2: " '
        sub(/^suite: /, "") {here = $0 == suite}
        here && index($0, field) == 1 {print substr($0, length(field) + 1)}' "$root/tests/suites.txt"
}

# The suites whose field `runs` is $1: usual or long.
suites() {
    awk -v runs="$1" 'sub(/^suite: /, "") {name = $0} $0 == "runs: " runs {print name}' "$root/tests/suites.txt" |
        paste -s -d ' ' -
}

usual=$(suites usual)
long=$(suites long)

# The packages in a field, which is a list of words, and of patterns of files below $root.
packages_in() (
    cd "$root" || exit
    for word in $(field "$1" "$2"); do
        case $word in
        */*) cat "$word" ;;
        *) printf '%s\n' "$word" ;;
        esac
    done
)

packages_of() {
    packages_in "$1" packages
    [ "$(uname -m)" = aarch64 ] || packages_in "$1" 'packages not on aarch64'
}

# Missing ones are reported.
optional_packages_of() {
    packages_in "$1" 'optional packages'
}

list() {
    for suite in $usual; do
        printf '%-13s %s\n' "$suite" "$(field "$suite" about)"
    done
    for suite in $long; do
        printf '%-13s long: %s\n' "$suite" "$(field "$suite" about)"
    done
}

choose() {
    for suite in "$@"; do
        case " $usual $long " in
        *" $suite "*) ;;
        *) setup_fail "unknown suite '$suite', expected some of: $usual $long" ;;
        esac
    done
    chosen=${*:-$usual}
}

# An interpreter that SUGAR_PYTHON names must have the modules that a suite needs. Checked before anything is built.
check_python() {
    for module in $(for suite in $chosen; do field "$suite" 'python modules'; done | sort -u); do
        if [ -n "${SUGAR_PYTHON:-}" ]; then
            "$SUGAR_PYTHON" -c '' ||
                setup_fail "SUGAR_PYTHON: '$SUGAR_PYTHON' cannot be run; expected a Python that has $module"
            "$SUGAR_PYTHON" -c "import $module" || setup_fail "SUGAR_PYTHON: '$SUGAR_PYTHON' has no $module"
        elif ! python3 -c "import $module" 2>/dev/null; then
            printf 'going on without %s: python3 has none, and SUGAR_PYTHON names no other interpreter\n' "$module" >&2
        fi
    done
}

set_up() {
    packages='gcc|clang libc6-dev meson ninja-build pkg-config|pkgconf'
    for suite in $chosen; do
        packages="$packages $(packages_of "$suite")"
    done
    # shellcheck disable=SC2086 # a list of words
    need_packages $packages
    # shellcheck disable=SC2046 # a list of words
    want_packages $(for suite in $chosen; do optional_packages_of "$suite"; done | sort -u)
}

# The build knows all tests of a suite; it does not if its set-up found a library missing. Optional
# packages are looked for anew each time.
build_has() {
    tests=$(meson introspect "$build" --tests 2>/dev/null) || return 1
    case $tests in *"\"$1-lacks-"*) return 1 ;; *":$1\""*) return 0 ;; *) return 1 ;; esac
}

# Once is enough. meson leaves a build.ninja that stays the same as it was, so that ninja configures once more.
reconfigure() {
    [ "$configured" = no ] || return 0
    printf 'Looking for libraries again\n'
    { meson setup --reconfigure "$build" "$root" -Dtests=true && ninja -C "$build" build.ninja; } \
        >"$build/tests-setup.log" 2>&1 ||
        { cat "$build/tests-setup.log"; setup_fail "meson could not set up $build again"; }
    configured=yes
}

build_all() {
    configured=no
    if [ ! -f "$build/build.ninja" ]; then
        meson setup "$build" "$root" -Dtests=true || setup_fail "meson could not set up $build"
        configured=yes
    fi
    for suite in $chosen; do
        { [ -z "$(optional_packages_of "$suite")" ] && build_has "$suite"; } || reconfigure
        build_has "$suite" || setup_fail "$build has no complete suite '$suite'"
    done
    ninja -C "$build" || setup_fail 'the build failed'
}

# Runs the chosen suites by one call, so that a test that uses one core leaves the others to tests of any suite; says
# how each suite went. Beside others a test takes longer than alone, for which timeouts are made.
run_suites() {
    log=$build/meson-logs/tests-everything.json
    rm -f "$log"
    # shellcheck disable=SC2086 # a list of words
    set -- $chosen
    for suite in "$@"; do
        set -- "$@" --suite "$suite"
        shift
    done
    meson test -C "$build" --no-rebuild --setup everything --verbose --logbase tests --timeout-multiplier 3 "$@"
    status=$?
    printf '\n'
    # shellcheck disable=SC2086 # a list of words
    python3 "$root/tests/summary.py" "$log" "$build/meson-info/intro-tests.json" "$status" $chosen
}

case ${1:-} in
--list) list; exit 0 ;;
--set-up) shift; choose "$@"; set_up; exit 0 ;;
--help | -h) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
-*) setup_fail "unknown option '$1', expected --list, --set-up or names of suites" ;;
esac
choose "$@"
check_python
set_up
build_all
run_suites
