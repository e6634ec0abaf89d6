#!/bin/sh
# The tests, with one command, from any folder:
#
#     sh tests/run.sh             sets up, builds into build/, runs every suite but the long ones
#     sh tests/run.sh SUITE...    some suites
#     sh tests/run.sh --list      their names
#     sh tests/run.sh --set-up SUITE...   installs what some suites need, and nothing more
#
# SUGAR_PYTHON names the interpreter that has torch, for peers, bench and torch; SUGAR_BENCH holds options of the
# benchmark: with SUGAR_BENCH=--quick it takes about two minutes; SUGAR_SYSTEMS names releases of Debian for systems,
# such as "bookworm trixie".
#
# Exit status: 0 if nothing failed, 1 if a suite failed, 2 if it could not be set up or asked wrongly.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 2
build=$root/build
. "$root/tests/setup.sh"

usual='unit kernels accuracy bits doc example install bindings sanitize'
long='exhaustive peers bench julia torch systems'

describe() {
    case $1 in
    unit) echo 'the API: specs, tensors, overlap, bad input, options, threads' ;;
    kernels) echo 'every kind at every level against single elements, over all layouts of memory' ;;
    accuracy) echo 'every kind against MPFR, on a dense sample; writes build/accuracy.json' ;;
    bits) echo 'digests of every kind at every level against the stored ones, aarch64 too' ;;
    doc) echo 'what the documents show: the catalogue, the picture, the program of the README; tables.h' ;;
    example) echo 'the training example: what it cures, what it refuses' ;;
    install) echo 'an installed copy: pkg-config, C and C++, headers, symbols' ;;
    bindings) echo 'every language but Julia: what is generated, and the shared vectors in its own runtime' ;;
    sanitize) echo 'unit and kernels under ASan and UBSan, and under valgrind; threads under TSan' ;;
    exhaustive) echo 'long: all 2^32 f32 inputs of every kind against an independent reference' ;;
    peers) echo "long: the peers' own errors beside ours, in f32; writes build/peers.json" ;;
    julia) echo 'long: the binding of Julia in the Julia of Debian 11; makes build/debian11, needs root' ;;
    torch) echo 'long: the modules of PyTorch in the binding of Python' ;;
    systems) echo 'long: both commands of the README in bare folders of Debian 12, 13 and unstable; needs root' ;;
    bench) echo 'long: speed beside oneDNN, XNNPACK, PyTorch and the limits; writes build/bench.json and .svg' ;;
    esac
}

# The packages that the languages' folders list, one a line.
listed() {
    cat "$root"/bindings/*/"$1.txt" 2>/dev/null | paste -s -d ' ' -
}

# What a suite needs besides a compiler and the build system, by Debian's names.
packages_of() {
    case $1 in
    unit) echo 'libcmocka-dev locales' ;;
    accuracy | exhaustive | peers) echo 'libmpfr-dev libgmp-dev' ;;
    doc) echo 'python3' ;;
    bits) [ "$(uname -m)" = aarch64 ] || echo 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user' ;;
    example) echo 'libopenblas-dev zlib1g-dev dataset-fashion-mnist' ;;
    install) echo 'g++ clang binutils libdlpack-dev' ;;
    bindings) echo "python3 python3-clang python3-jinja2 binutils $(listed packages)" ;;
    sanitize) echo 'libcmocka-dev locales valgrind libc6-dbg' ;;
    julia) echo 'debootstrap clang' ;;
    systems) echo 'debootstrap git' ;;
    torch) echo 'python3 python3-numpy' ;;
    esac
}

# What a suite can do without: it says what it misses.
optional_packages_of() {
    case $1 in
    doc) echo 'python3-mpmath' ;;
    bindings) listed optional-packages ;;
    peers) echo 'libdnnl-dev libxnnpack-dev libpthreadpool-dev libcpuinfo-dev' ;;
    bench) echo 'libdnnl-dev libxnnpack-dev libpthreadpool-dev libcpuinfo-dev libopenblas-dev' ;;
    esac
}

list() {
    for suite in $usual $long; do
        printf '%-12s %s\n' "$suite" "$(describe "$suite")"
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

# An interpreter that was named must have torch; said before anything is built.
check_python() {
    case " $chosen " in *' peers '* | *' bench '* | *' torch '*) ;; *) return ;; esac
    if [ -n "${SUGAR_PYTHON:-}" ]; then
        "$SUGAR_PYTHON" -c '' ||
            setup_fail "SUGAR_PYTHON: '$SUGAR_PYTHON' cannot be run; expected a Python that has torch"
        "$SUGAR_PYTHON" -c 'import torch' || setup_fail "SUGAR_PYTHON: '$SUGAR_PYTHON' has no torch"
    elif ! python3 -c 'import torch' 2>/dev/null; then
        printf 'going on without torch: python3 has none, and SUGAR_PYTHON names no other interpreter\n' >&2
    fi
}

set_up() {
    packages='gcc|clang libc6-dev meson ninja-build pkg-config|pkgconf'
    for suite in $chosen; do
        packages="$packages $(packages_of "$suite")"
    done
    # Unquoted on purpose: a list of words.
    need_packages $packages
    for suite in $chosen; do
        for package in $(optional_packages_of "$suite"); do
            (need_packages "$package") || printf 'going on without %s\n' "$package" >&2
        done
    done
}

# The build knows all tests of a suite; it does not if its set-up found a library missing. What a suite can do
# without is looked for anew each time.
build_has() {
    tests=$(meson introspect "$build" --tests 2>/dev/null) || return 1
    case $tests in *"\"$1-lacks-"*) return 1 ;; *":$1\""*) return 0 ;; *) return 1 ;; esac
}

build_all() {
    if [ ! -f "$build/build.ninja" ]; then
        meson setup "$build" "$root" -Dtests=true || setup_fail "meson could not set up $build"
    fi
    for suite in $chosen; do
        [ -z "$(optional_packages_of "$suite")" ] && build_has "$suite" ||
            { meson setup --reconfigure "$build" "$root" -Dtests=true && build_has "$suite"; } ||
            setup_fail "$build has no complete suite '$suite'"
    done
    ninja -C "$build" || setup_fail 'the build failed'
}

# Runs one suite and adds its line to the summary.
run_suite() {
    log=$build/tests-$1.log
    started=$(date +%s)
    printf '\n==== %s: %s\n\n' "$1" "$(describe "$1")"
    { meson test -C "$build" --no-rebuild --setup everything --verbose --logbase "tests-$1" --suite "$1" 2>&1
      echo $? >"$log.status"; } | tee "$log"
    reasons=$(sed -n 's/^ *skipped: //p' "$log" | paste -s -d ';' -)
    if [ "$(cat "$log.status")" != 0 ]; then
        result=FAILED
        failed=$((failed + 1))
    elif [ -n "$reasons" ] || ! grep -qE '^Ok: +[1-9]' "$log"; then
        result="skipped (${reasons:-no test ran})"
        skipped=$((skipped + 1))
    else
        result=passed
        passed=$((passed + 1))
    fi
    summary="$summary$(printf '%-12s %4d s  %s' "$1" $(($(date +%s) - started)) "$result")
"
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
passed=0
failed=0
skipped=0
summary=
for suite in $chosen; do
    run_suite "$suite"
done
printf '\n==== summary\n\n%s\n' "$summary"
if [ "$skipped" = 0 ]; then
    printf '%d passed, %d failed\n' "$passed" "$failed"
else
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
fi
[ "$failed" = 0 ]
