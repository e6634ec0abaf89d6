# The generated files of the bindings are what the generator makes now, and every language has what is expected of one.
#
#     sh generated.sh SOURCE_ROOT FOLDER LIBRARY
#
# Needs a python3 that has libclang and Jinja2: the one in PATH or the system's, for which Debian has
# python3-clang and python3-jinja2.
set -eu
source=$1 folder=$2 library=$3
. "$source/tests/check.sh"
export PYTHONDONTWRITEBYTECODE=1

for python in python3 /usr/bin/python3 ''; do
    [ -n "$python" ] || { echo 'skipped: generated: python3 has no libclang or no Jinja2'; exit 77; }
    "$python" -c 'import clang.cindex, jinja2' 2>/dev/null && break
done

mkdir -p "$folder"
check 'generated files are up to date' "$python" "$source/bindings/generate.py" --check --library "$library"
check 'the generator' "$python" "$source/bindings/generator_test.py"
check 'every language has what is expected' "$python" "$source/bindings/coverage.py" "$library"
[ "$failed" != 0 ] || cat "$folder/output"
check_summary
