# The digests of an aarch64 build, under qemu-user, against the stored ones.
#
#     sh aarch64.sh SOURCE_ROOT BUILD_FOLDER
set -eu
source=$1
build=$2

for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $tool >/dev/null || { echo "skipped: aarch64: there is no $tool here"; exit 77; }
done

# The compiler of the build that runs this is not the one for aarch64.
unset CC
[ -f "$build/build.ninja" ] || meson setup "$build" "$source" --cross-file "$source/tests/bits/aarch64.ini" \
    --default-library=static -Dtests=true -Dbuildtype=release
ninja -C "$build" tests/bits/digests
exec qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/tests/bits/digests" "$source/tests/bits/digests.txt" \
    --require neon
