#!/bin/sh
# Sets up what the experiments need, and runs them: sh doc/experiments/run.sh COMMAND [OPTION]...
# (README.md here has examples; --help lists commands and options). The environment goes to
# build/experiments/environment, and is made again when the library or requirements.txt has changed: let runs come to
# their end first.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
here=$root/doc/experiments
environment=$root/build/experiments/environment
installed=$environment/installed

. "$root/tests/setup.sh"
need_packages 'gcc|clang' libc6-dev python3 python3-venv
if [ ! -f "$installed" ] || [ -n "$(find "$root/lib" "$root/include" "$root/bindings/python/src" \
        "$root/bindings/python/native" "$here/requirements.txt" -type f -newer "$installed" -print)" ]; then
    sh "$root/bindings/python/tests/environment.sh" "$here/requirements.txt" "$environment" >&2
    touch "$installed"
fi

unset SUGAR_LIBRARY PYTHONPATH
exec "$environment/bin/python" "$here/run.py" "$@"
