# A test program of this build, on another x86-64 processor, under qemu-user.
#
#     sh processor.sh PROCESSOR PROGRAM [ARGUMENT...]
#
# `qemu-x86_64 -cpu help` lists the processors.
set -eu
processor=$1
shift
command -v qemu-x86_64 >/dev/null || { echo "skipped: $processor: there is no qemu-x86_64 here"; exit 77; }
exec qemu-x86_64 -cpu "$processor" "$@"
