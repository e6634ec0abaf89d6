# The level that processors get, old ones among them: some have no AVX, some no xgetbv, in emulation.
#
#     sh old_processors.sh PROGRAM FOLDER
#
# PROGRAM is level_in_use.
set -eu
program=$1
folder=$2
emulated=$(dirname "$0")/../cross/processor.sh
. "$(dirname "$0")/../check.sh"

mkdir -p "$folder"
unset SUGAR_LEVEL
sh "$emulated" qemu64 "$program" >"$folder/output" || { cat "$folder/output"; exit 77; }
prints() { [ "$(sh "$emulated" "$2" "$program" 2>"$folder/warnings")" = "$1" ]; }

check 'SSE3' prints scalar qemu64
check 'SSSE3' prints scalar Conroe
check 'SSE4.1, without xgetbv' prints sse4 Nehalem
check 'AVX' prints sse4 SandyBridge
check 'AVX2' prints avx2 Haswell
check_summary
