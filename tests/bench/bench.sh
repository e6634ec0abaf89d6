#!/bin/sh
# Runs the benchmark, draws what it measured, and says which goals it met:
#
#     sh tests/bench/bench.sh PROGRAM FOLDER [OPTION...]
#
# Writes FOLDER/bench.json and FOLDER/bench.svg. Options are those of the program; the variable SUGAR_BENCH
# holds more of them, SUGAR_PYTHON the interpreter that has torch.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
program=$1
folder=$2
shift 2
# Unquoted on purpose: a list of options.
"$program" --python "${SUGAR_PYTHON:-python3}" --torch "$here/peers_torch.py" --json "$folder/bench.json" \
    ${SUGAR_BENCH:-} "$@"
python3 "$here/plot.py" "$folder/bench.json" "$folder/bench.svg"
python3 "$here/goals.py" "$folder/bench.json"
