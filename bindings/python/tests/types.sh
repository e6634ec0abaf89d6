# mypy, strict, over the package and its tests.
set -eu
command -v mypy >/dev/null || { echo 'skipped: python-types: there is no mypy'; exit 77; }
here=$(dirname "$0")
MYPYPATH=$here/../src exec mypy --strict --cache-dir=/dev/null "$here/../src/libsugar" "$here"
