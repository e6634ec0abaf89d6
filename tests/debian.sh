# Folders with a Debian of their own; to be sourced by a POSIX shell, as root.
#
#     debian_lacks                  prints what this machine lacks for that, or nothing
#     make_debian RELEASE FOLDER    a bare system, such as bookworm's, from the mirror that this machine's apt uses
#     enter_debian FOLDER [--bind HERE THERE | --read HERE THERE]... COMMAND...
#
# make_debian does nothing if FOLDER is there. What it makes has no lists of packages.
#
# enter_debian runs COMMAND in FOLDER, with /proc, /dev and what is named besides (--read: read-only), an environment of
# nearly nothing and the network of this machine. It replaces the shell: call it in parentheses. Mounts and processes
# are in namespaces of their own, so that nothing is left when it ends, or is killed.

# The mirror that Debian's own packages come from here.
debian_mirror() {
    # shellcheck disable=SC2016 # apt-get's own variable
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1
}

debian_lacks() {
    for need in debootstrap unshare apt-get; do
        command -v "$need" >/dev/null || { echo "there is no $need"; return; }
    done
    [ "$(id -u)" = 0 ] || { echo 'needs root'; return; }
    [ -n "$(debian_mirror)" ] || echo 'apt names no mirror of Debian'
}

make_debian() {
    [ ! -d "$2" ] || return 0
    rm -rf "$2.part"
    mkdir -p "$2.part"
    # In a namespace, as debootstrap leaves its own mounts behind when it is killed.
    unshare --mount debootstrap --variant=minbase "$1" "$2.part" "$(debian_mirror)" || return 1
    # A mirror that stands still is as good as any.
    echo 'Acquire::Check-Valid-Until "false";' >"$2.part/etc/apt/apt.conf.d/still-mirror"
    rm -rf "$2.part"/var/lib/apt/lists/*
    mv "$2.part" "$2"
}

enter_debian() {
    # shellcheck disable=SC2016 # variables of the inner shell
    exec unshare --mount --pid --fork --kill-child sh -e -c '
        folder=$1
        shift
        mount -t proc proc "$folder/proc"
        mount --rbind /dev "$folder/dev"
        cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
        while [ "$1" = --bind ] || [ "$1" = --read ]; do
            mkdir -p "$folder$3"
            mount --bind "$2" "$folder$3"
            [ "$1" = --bind ] || mount -o remount,bind,ro "$folder$3"
            shift 3
        done
        exec chroot "$folder" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
            ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} "$@"
    ' sh "$@"
}
