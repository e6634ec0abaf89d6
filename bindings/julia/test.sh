# Runs Julia's tests, with the julia in PATH and the library of SUGAR_LIBRARY.
#
#     sh test.sh          the tests and the example
#     sh test.sh --pkg    the same tests through Pkg.test, from an empty registry
#
# Without a Julia on this machine: debian11.sh.
set -eu
command -v julia >/dev/null || { echo 'skipped: julia is not installed'; exit 77; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
export JULIA_NUM_THREADS=2
if [ "${1:-}" = --pkg ]; then
    exec julia --startup-file=no "$here/test/package.jl"
fi
julia --startup-file=no --project="$here" "$here/examples/example.jl"
exec julia --startup-file=no --project="$here" "$here/test/runtests.jl"
