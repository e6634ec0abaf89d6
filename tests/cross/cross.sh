# A test program of a build for another processor, under qemu-user.
#
#     sh cross.sh SOURCE_ROOT BUILD_FOLDER MACHINE PROGRAM [ARGUMENT...]
#
# MACHINE is one that has a cross file beside this script: aarch64, armhf or i386. PROGRAM is a path in BUILD_FOLDER,
# which is set up unless it has been. Tests that share a folder build one after the other, and run side by side.
set -eu
source=$1
build=$2
machine=$3
program=$4
shift 4

cross_file=$source/tests/cross/$machine.ini
# What it says between the quotes of a line.
compiler=$(sed -n "s/^c = '\(.*\)'/\1/p" "$cross_file")
emulator=$(sed -n "/^exe_wrapper = /{s/^[^[]*\[//; s/[]',]//g; p;}" "$cross_file")

for tool in "$compiler" "${emulator%% *}"; do
    command -v "$tool" >/dev/null || { echo "skipped: $machine: there is no $tool here"; exit 77; }
done

# The compiler of the build that runs this is not the one for that processor.
unset CC
mkdir -p "$(dirname "$build")"
exec 9>"$build.lock"
flock 9
[ -f "$build/build.ninja" ] || meson setup "$build" "$source" --cross-file "$cross_file" \
    --default-library=static -Dtests=true -Dbuildtype=release
ninja -C "$build" "$program"
exec 9>&-
# shellcheck disable=SC2086 # a command with its options
exec $emulator "$build/$program" "$@"
