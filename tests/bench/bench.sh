#!/bin/sh
# Runs the benchmark, draws what it measured, and says which goals it met:
#
#     sh tests/bench/bench.sh PROGRAM FOLDER [OPTION...]
#
# Writes FOLDER/bench.json and FOLDER/bench.svg. Options are those that `PROGRAM --help` prints; the variable
# SUGAR_BENCH holds more of them, SUGAR_PYTHON the interpreter that has torch. If it is not set, python3 is
# asked, and torch is left out where that has none. FOLDER/peers.json says which peers keep 4 ULP.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
program=$1
folder=$2
shift 2
# shellcheck disable=SC2086 # a list of options
"$program" ${SUGAR_PYTHON:+--python "$SUGAR_PYTHON"} --torch "$here/peers_torch.py" \
    --json "$folder/bench.json" ${SUGAR_BENCH:-} "$@"
python3 "$here/plot.py" "$folder/bench.json" "$folder/bench.svg"
errors=$folder/peers.json       # of the suite `peers`, if it has run
[ -f "$errors" ] || errors=
python3 "$here/goals.py" "$folder/bench.json" ${errors:+"$errors"}
