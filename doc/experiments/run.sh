#!/bin/sh
# Sets up what the experiments need, and runs them: sh doc/experiments/run.sh COMMAND [OPTION]...
# (doc/experiments/README.md; --help lists the options). The environment goes to build/experiments/environment.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
environment=$root/build/experiments/environment

. "$root/tests/setup.sh"
need_packages 'gcc|clang' libc6-dev python3 python3-venv
sh "$root/bindings/python/tests/environment.sh" torch "$environment" >&2

unset SUGAR_LIBRARY PYTHONPATH
exec "$environment/bin/python" "$root/doc/experiments/run.py" "$@"
