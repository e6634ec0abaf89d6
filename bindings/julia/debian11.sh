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
[ $# = 1 ] || { echo 'usage: sh debian11.sh FOLDER' >&2; exit 2; }
folder=$1
build=$folder-build

for need in debootstrap clang meson ninja unshare; do
    command -v "$need" >/dev/null || { echo "skipped: julia-debian11: there is no $need"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo 'skipped: julia-debian11: needs root'; exit 77; }

# The mirror that Debian's own packages come from here.
mirror() {
    # shellcheck disable=SC2016 # apt-get's own variable
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1
}

make_folder() {
    from=$(mirror)
    [ -n "$from" ] || { echo 'skipped: julia-debian11: apt names no mirror of Debian'; exit 77; }
    debootstrap --variant=minbase bullseye "$folder" "$from"
}

# Links that begin at the root lead out of the folder when a linker follows them from here.
make_links_relative() {
    find "$folder/usr/lib64/" "$folder/usr/lib/$(uname -m)-linux-gnu" -maxdepth 1 -type l -lname '/*' |
        while read -r link; do
            ln -sfnr "$folder$(readlink "$link")" "$link"
        done
}

# Runs a command in the folder, with /proc and the sources, which are mounted for this command alone.
inside() {
    # shellcheck disable=SC2016 # variables of the inner shell
    unshare --mount sh -c '
        folder=$1 sources=$2 build=$3
        shift 3
        mkdir -p "$folder/srv/sources" "$folder/srv/build"
        mount -t proc proc "$folder/proc"
        mount --bind "$sources" "$folder/srv/sources"
        mount -o remount,bind,ro "$folder/srv/sources"
        mount --bind "$build" "$folder/srv/build"
        exec chroot "$folder" env HOME=/root LC_ALL=C.UTF-8 SUGAR_LIBRARY=/srv/build/lib/libsugar.so "$@"
    ' sh "$folder" "$source_root" "$build" "$@"
}

[ -x "$folder/usr/bin/apt-get" ] || make_folder
folder=$(CDPATH='' cd -- "$folder" && pwd)
build=$folder-build
mkdir -p "$build"
if ! chroot "$folder" sh -c 'command -v julia wget && test -f /usr/include/stdlib.h -a -d /usr/lib/gcc' >/dev/null; then
    chroot "$folder" apt-get -qq update
    chroot "$folder" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends julia wget libc6-dev libgcc-10-dev </dev/null
fi
make_links_relative

[ -f "$build/build.ninja" ] ||
    CC="clang --sysroot=$folder" meson setup "$build" "$source_root" --buildtype=release
ninja -C "$build"
inside sh /srv/sources/bindings/julia/test.sh
inside sh /srv/sources/bindings/julia/test.sh --pkg
