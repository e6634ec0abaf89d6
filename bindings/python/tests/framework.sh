# The tests of one framework, in an environment of their own.
#
#     sh framework.sh NAME FOLDER         NAME: torch or jax, test_NAME.py and test_NAME_*.py
#     sh framework.sh NAME-long FOLDER    test_NAME_long_*.py, which take longer
#
# FOLDER is the environment, which environment.sh makes. What a test leaves out is printed as `skipped: why`.
set -eu
framework=${1%-long}
mkdir -p "$2"
folder=$(CDPATH='' cd -- "$2" && pwd)
cd "$(dirname "$0")"
sh ./environment.sh "$framework" "$folder" || exit

long="test_${framework}_long_*.py"
if [ "$1" = "$framework" ]; then
    files=$(find . -name "test_$framework*.py" ! -name "$long")
else
    files=$(find . -name "$long")
fi
[ -n "$files" ] || { echo "skipped: $1: there are no tests"; exit 77; }

# The installed package, and nothing of this checkout but the tests.
unset SUGAR_LIBRARY PYTHONPATH
status=0
# shellcheck disable=SC2086 # a list of files
"$folder/bin/python" -m pytest -q -rs -p no:cacheprovider $files >"$folder/tests.log" 2>&1 || status=$?
sed 's/^SKIPPED \[[0-9]*\] /skipped: /' "$folder/tests.log"
exit $status
