# Runs one test of Python's.
#
#     sh test.sh FILE [ARGUMENT...]
#
# With the python3 in PATH.
set -eu
PYTHONPATH=$(dirname "$0")/../src${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec python3 "$@"
