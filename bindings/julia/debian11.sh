# Runs Julia's tests in Debian 11, the last release of Debian that carries Julia (1.5.3). Needs root, debootstrap and
# clang, and about 1.3 GB.
#
#     sh debian11.sh FOLDER
#
# FOLDER is made by debootstrap, from the mirror that this machine's apt uses, unless it is there; what the tests need
# is installed there if it is not. The library is compiled against the C library of Debian 11, in FOLDER-build, and the
# sources are seen in FOLDER read-only. What is mounted is gone when the script ends.
set -eu
source_root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$source_root/tests/debian.sh"
[ $# = 1 ] || { echo 'usage: sh debian11.sh FOLDER' >&2; exit 2; }
folder=$1
build=$folder-build

lacks=$(debian_lacks)
[ -z "$lacks" ] || { echo "skipped: julia-debian11: $lacks"; exit 77; }
for need in clang meson ninja; do
    command -v "$need" >/dev/null || { echo "skipped: julia-debian11: there is no $need"; exit 77; }
done

# Links that begin at the root lead out of the folder when a linker follows them from here.
make_links_relative() {
    find "$folder/usr/lib64/" "$folder/usr/lib/$(uname -m)-linux-gnu" -maxdepth 1 -type l -lname '/*' |
        while read -r link; do
            ln -sfnr "$folder$(readlink "$link")" "$link"
        done
}

# Runs a command in the folder, which sees the sources and the build.
inside() {
    (enter_debian "$folder" --read "$source_root" /srv/sources --bind "$build" /srv/build \
        env LC_ALL=C.UTF-8 SUGAR_LIBRARY=/srv/build/lib/libsugar.so "$@")
}

make_debian bullseye "$folder"
folder=$(CDPATH='' cd -- "$folder" && pwd)
build=$folder-build
mkdir -p "$build"
if ! inside sh -c 'command -v julia wget && test -f /usr/include/stdlib.h -a -d /usr/lib/gcc' >/dev/null; then
    inside apt-get -qq update
    inside env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends julia wget libc6-dev libgcc-10-dev </dev/null
fi
make_links_relative

[ -f "$build/build.ninja" ] ||
    CC="clang --sysroot=$folder" meson setup "$build" "$source_root" --buildtype=release
ninja -C "$build"
inside sh /srv/sources/bindings/julia/test.sh
inside sh /srv/sources/bindings/julia/test.sh --pkg
