# Set-up shared by tests/run.sh and doc/examples/resurrect.sh; to be sourced by a POSIX shell.
#
#     need_packages PACKAGE...    makes sure that Debian packages are installed
#     want_packages PACKAGE...    installs them if possible, and reports those that are missing
#
# PACKAGE may name alternatives, "gcc|clang": any installed one will do, the first is what gets installed.
# Missing packages are installed if apt-get can be run, as root or through sudo without a password.
# Otherwise a message names them, and need_packages exits with 2. If nothing is missing, this takes one
# query. On a system without dpkg, install the equivalents by hand and set SUGAR_SETUP=no: then both
# functions take all packages for installed.

setup_fail() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

# Prints, of the packages named, those of which no alternative is installed, by their first names.
missing_packages() {
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} \n' 2>/dev/null | sed -n 's/^installed / /p')
    for wanted in "$@"; do
        rest="$wanted|"
        found=no
        while [ -n "$rest" ]; do
            case "$installed" in *" ${rest%%|*} "*) found=yes ;; esac
            rest=${rest#*|}
        done
        [ "$found" = yes ] || printf '%s ' "${wanted%%|*}"
    done
}

# Sets apt_get, a command that installs without questions; fails if this user may not install.
find_apt_get() {
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        return 1
    fi
    apt_get="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
}

update_lists() {
    $apt_get update </dev/null >&2 || printf 'warning: apt-get update failed; trying all the same\n' >&2
}

install_packages() {
    printf 'Installing %s\n' "$*" >&2
    update_lists
    $apt_get install -y --no-install-recommends "$@" </dev/null >&2
}

need_packages() {
    [ "${SUGAR_SETUP:-}" != no ] || return 0
    command -v dpkg-query >/dev/null 2>&1 || setup_fail "this system has no dpkg-query to check what is" \
        "installed. Needed, by their Debian names: $*. Install the equivalents, then set SUGAR_SETUP=no"
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    find_apt_get || setup_fail "missing packages, and neither root nor sudo without a password to install them." \
        "Run: apt-get install $missing"
    # shellcheck disable=SC2086 # a list of words
    install_packages $missing || setup_fail "apt-get could not install: $missing"
}

# Whether this release of the system has a package. Its lists are fetched if there are none, as dpkg is in all.
has_package() {
    [ -n "$(apt-cache madison dpkg 2>/dev/null)" ] || update_lists
    [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]
}

# shellcheck disable=SC2086 # lists of words
want_packages() {
    [ "${SUGAR_SETUP:-}" != no ] || return 0
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    find_apt_get || { go_without "neither root nor sudo without a password to install it" $missing; return; }
    wanted=
    for package in $missing; do
        if has_package "$package"; then
            wanted="$wanted $package"
        else
            go_without 'this release of the system has no such package' "$package"
        fi
    done
    [ -n "$wanted" ] || return 0
    # If they cannot all be installed, some of them may be.
    install_packages $wanted || for package in $wanted; do
        install_packages "$package" || go_without 'apt-get could not install it' "$package"
    done
}

go_without() {
    reason=$1
    shift
    printf "going on without %s: $reason\n" "$@" >&2
}
