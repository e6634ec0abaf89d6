# A test program of an aarch64 build, under qemu-user.
#
#     sh aarch64.sh SOURCE_ROOT BUILD_FOLDER PROGRAM [ARGUMENT...]
#
# PROGRAM is a path in BUILD_FOLDER, which is set up unless it has been.
set -eu
source=$1
build=$2
program=$3
shift 3

for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $tool >/dev/null || { echo "skipped: aarch64: there is no $tool here"; exit 77; }
done

# The compiler of the build that runs this is not the one for aarch64.
unset CC
[ -f "$build/build.ninja" ] || meson setup "$build" "$source" --cross-file "$source/tests/bits/aarch64.ini" \
    --default-library=static -Dtests=true -Dbuildtype=release
ninja -C "$build" "$program"
exec qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/$program" "$@"
