# The package as it is installed: a source package and a wheel from this checkout, in a fresh virtual environment.
#
#     sh wheel.sh FOLDER
#
# FOLDER is one for its files. pip gets the build system, NumPy, ml_dtypes and matplotlib, from the network as a rule.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=$1/python-wheel
python=/usr/bin/python3
unset SUGAR_LIBRARY PYTHONPATH
. "$here/../../../tests/check.sh"

"$python" -c 'import venv, ensurepip' 2>/dev/null || {
    echo 'skipped: python-wheel: there is no python3-venv'
    exit 77
}
rm -rf "$folder"
mkdir -p "$folder"
pip() {
    "$folder/venv/bin/python" -m pip --disable-pip-version-check --no-input --timeout 10 --retries 1 "$@"
}

"$python" -m venv "$folder/venv"
pip install --quiet build ml_dtypes matplotlib >"$folder/network" 2>&1 || {
    echo "skipped: python-wheel: pip has no build, ml_dtypes or matplotlib: $(tail -n 1 "$folder/network")"
    exit 77
}
check 'source package, and the wheel from it' "$folder/venv/bin/python" -m build --outdir "$folder/dist" "$here/.."

one_for_every_python() {
    ls "$folder"/dist/libsugar-*-py3-none-linux_*.whl
}
check 'a tag for every Python' one_for_every_python
check 'wheel' pip install "$folder"/dist/*.whl

library_inside() {
    "$installed" -c 'import libsugar._lowlevel as c; print(c.library._name)' |
        grep '/site-packages/libsugar/libsugar.so.0$'
}

frameworks_inside() {
    "$installed" -c '
import ctypes, libsugar
ctypes.CDLL(libsugar.__path__[0] + "/libsugar_frameworks.so").sugar_torch_parallel_for'
}

typed() {
    test -f "$("$installed" -c 'import libsugar; print(libsugar.__path__[0])')/py.typed"
}

nothing_of_c() {
    ! find "$folder/venv" -name 'sugar*.h*' -o -name 'libsugar*.pc' | grep .
}

# From elsewhere, so that nothing of the checkout is found.
cd "$folder"
installed=$folder/venv/bin/python
check 'the library inside' library_inside
check 'what frameworks call, inside' frameworks_inside
check 'typed' typed
check 'nothing of C but the library' nothing_of_c
check 'python -m libsugar' "$installed" -m libsugar
for test in libsugar arrays objects; do
    check "its tests: $test" "$installed" "$here/test_$test.py"
done
check 'the example' "$installed" "$here/../examples/example.py"
check 'tests of bfloat16 and pictures' "$installed" "$here/test_optional.py"
check_summary
