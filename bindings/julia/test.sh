# Runs Julia's tests, with the julia in PATH and the library of SUGAR_LIBRARY.
#
#     sh test.sh
#
# Without a Julia on this machine: debian11.sh.
set -eu
command -v julia >/dev/null || { echo 'skipped: julia: julia is not installed'; exit 77; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec julia --startup-file=no --project="$here" "$here/test/runtests.jl"
