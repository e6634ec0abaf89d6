# The wheels for any Linux: made anew, and tried in every Python from 3.9 to 3.13 that is here; on aarch64 in emulation.
#
#     sh wheels.sh FOLDER
#
# A Python is python3.N in PATH, or in a folder of interpreters that SUGAR_PYTHONS names, as pyenv's `versions`. FOLDER
# keeps the tools of the build, and for aarch64 the files of a Debian with Python, which needs root and debootstrap.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd)
tests=$root/bindings/python/tests
mkdir -p "$1"
folder=$(CDPATH='' cd -- "$1" && pwd)
unset SUGAR_LIBRARY PYTHONPATH
. "$root/tests/check.sh"
. "$root/tests/debian.sh"

skip() {
    echo "skipped: wheels: $*"
    skipped=yes
}

pip() {
    "$@" --disable-pip-version-check --no-input --timeout 10 --retries 1 --quiet
}

# The interpreter of version 3.$1. What lies in PATH may be nothing but a hint at one.
find_python() {
    for found in "python3.$1" "${SUGAR_PYTHONS:-/none}/3.$1".*/bin/python3; do
        "$found" -c "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, $1))" 2>/dev/null && return
    done
    return 1
}

try_python() {
    venv=$folder/python3.$1
    rm -rf "$venv"
    "$found" -m venv "$venv"
    check "3.$1: pip takes it" pip "$venv/bin/python" -m pip install "$wheel_x86_64"
    check "3.$1: python -m libsugar" "$venv/bin/python" -m libsugar
    check "3.$1: what frameworks call" loads_frameworks "$venv/bin/python"
    for test in libsugar arrays objects; do
        check "3.$1: its tests: $test" "$venv/bin/python" "$tests/test_$test.py"
    done
}

# A wheel that lacked a level would be slow without a word.
has_levels() {
    "$@" -c 'import libsugar, sys
levels = [level.name for level in libsugar.levels() if level.compiled]
print(levels)
sys.exit(levels != sys.argv[1].split())' "$levels"
}

# It needs nothing that is not in the wheel or in any Linux.
loads_frameworks() {
    "$@" -c 'import ctypes, libsugar
ctypes.CDLL(libsugar.__path__[0] + "/libsugar_frameworks.so").sugar_torch_parallel_for'
}

# Debian's Python for aarch64, of which nothing is installed: the files are enough for the emulator.
make_aarch64() {
    [ ! -f "$debian/complete" ] || return 0
    rm -rf "$debian"
    mkdir "$debian"
    unshare --mount debootstrap --foreign --arch=arm64 --variant=minbase --include=python3 bookworm "$debian" \
        "$(debian_mirror)" || return 1
    for package in "$debian"/var/cache/apt/archives/*.deb; do
        dpkg-deb -x "$package" "$debian" || return 1
    done
    touch "$debian/complete"
}

emulated() {
    qemu-aarch64 -L "$debian" -E PYTHONHOME="$debian/usr" -E PYTHONPATH="$folder/aarch64-site" \
        "$debian/usr/bin/python3.11" "$@"
}

try_aarch64() {
    debian=$folder/debian-aarch64
    lacks=$(debian_lacks; command -v qemu-aarch64 >/dev/null || echo 'there is no qemu-aarch64')
    [ -z "$lacks" ] || { skip "aarch64: $lacks"; return; }
    make_aarch64 >"$folder/debian.log" 2>&1 || { skip "aarch64: $(tail -n 1 "$folder/debian.log")"; return; }
    rm -rf "$folder/aarch64-site"
    check 'aarch64: pip takes it' pip "$folder/tools/bin/python" -m pip install --target "$folder/aarch64-site" \
        --platform manylinux_2_17_aarch64 --python-version 3.11 --only-binary :all: "$wheel_aarch64"
    check 'aarch64: python -m libsugar' emulated -m libsugar
    check 'aarch64: what frameworks call' loads_frameworks emulated
    levels='scalar neon'
    check 'aarch64: all levels' has_levels emulated
    # Loading starts more interpreters, which only the emulator could.
    check 'aarch64: its tests: libsugar' emulated "$tests/test_libsugar.py"
    check 'aarch64: its tests: arrays' emulated "$tests/test_arrays.py"
    check 'aarch64: its tests: objects' emulated "$tests/test_objects.py" Errors Threads
}

skipped=
cd "$folder"
rm -f ./*.whl
if ! sh "$root/bindings/python/wheels.sh" "$folder" >"$folder/wheels.log" 2>&1; then
    [ -d "$folder/x86_64" ] || { skip "its tools: $(tail -n 1 "$folder/wheels.log")"; exit 77; }
    cat "$folder/wheels.log"
    exit 1
fi
wheel_x86_64=$(echo "$folder"/libsugar-*-py3-none-*manylinux_2_17_x86_64.whl)
wheel_aarch64=$(echo "$folder"/libsugar-*-py3-none-*manylinux_2_17_aarch64.whl)
levels='scalar sse4 avx2 avx512'
for minor in 9 10 11 12 13; do
    if ! find_python "$minor"; then
        skip "there is no Python 3.$minor with venv"
    elif [ "$(uname -m)" = x86_64 ]; then
        try_python "$minor"
        check "3.$minor: all levels" has_levels "$venv/bin/python"
    fi
done
try_aarch64
check_summary
[ -z "$skipped" ] || exit 77
