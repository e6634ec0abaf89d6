# Runs one test of Python's.
#
#     sh test.sh MODULE FILE [ARGUMENT...]
#
# With the first interpreter that has the MODULE, such as numpy: SUGAR_PYTHON, the python3 in PATH, the system's.
set -eu
module=$1
shift
for python in "${SUGAR_PYTHON:-python3}" python3 /usr/bin/python3 ''; do
    [ -n "$python" ] || { echo "skipped: $(basename "$1" .py): no python3 has $module"; exit 77; }
    "$python" -c "import $module" 2>/dev/null && break
done
PYTHONPATH=$(dirname "$0")/../src${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec "$python" "$@"
