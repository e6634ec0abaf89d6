# mypy, strict, over the package, its tests and the experiments.
set -eu
command -v mypy >/dev/null || { echo 'skipped: python-types: there is no mypy'; exit 77; }
cd "$(dirname "$0")/.."
# pytest's fixtures, which the tests of doc/experiments use, have no types here.
MYPYPATH=src:../../doc/experiments exec mypy --config-file pyproject.toml --cache-dir=/dev/null \
    --exclude 'test_torch_experiments\.py$' src/libsugar tests ../../doc/experiments
