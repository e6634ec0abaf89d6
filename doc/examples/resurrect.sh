#!/bin/sh
# Sets up, builds and runs resurrect, the training example: sh doc/examples/resurrect.sh [OPTION]...
# The options are the program's (--help lists them). The report goes to build/resurrect.html, every number to
# build/resurrect.json, unless --html and --json say otherwise.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=$root/build/example

. "$root/tests/setup.sh"
case " $*" in
*' --data'*) images= ;;
*) images=dataset-fashion-mnist ;;
esac
need_packages 'gcc|clang' libc6-dev meson ninja-build 'pkg-config|pkgconf' libopenblas-dev zlib1g-dev $images

# What the build says is only of interest if it fails.
mkdir -p "$build"
log=$build/resurrect-build.log
{
    if [ -f "$build/build.ninja" ]; then
        ninja -C "$build"
    else
        meson setup -Dexamples=true --buildtype=release "$build" "$root" && ninja -C "$build"
    fi
} >"$log" 2>&1 || {
    cat "$log" >&2
    setup_fail "the build in $build failed, as said above"
}

exec "$build/doc/examples/resurrect" \
    --html "$root/build/resurrect.html" --json "$root/build/resurrect.json" "$@"
