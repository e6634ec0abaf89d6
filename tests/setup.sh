# Set-up shared by tests/run.sh and doc/examples/resurrect.sh; to be sourced by a POSIX shell.
#
#     need_packages PACKAGE...    makes sure that Debian packages are installed
#
# PACKAGE may name alternatives, "gcc|clang": any installed one will do, the first is what gets installed.
# What is missing is installed when apt-get can be run, as root or through sudo without a password.
# Otherwise a message says exactly what is missing, and the script exits with 2. Nothing missing costs
# one query. On a system without dpkg, install the equivalents by hand and set SUGAR_SETUP=no, which
# makes need_packages believe that all is there.

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

need_packages() {
    [ "${SUGAR_SETUP:-}" != no ] || return 0
    command -v dpkg-query >/dev/null 2>&1 || setup_fail "this system has no dpkg-query to check what is" \
        "installed. Needed, by their Debian names: $*. Install the equivalents, then set SUGAR_SETUP=no"
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        setup_fail "missing packages, and neither root nor sudo without a password to install them." \
            "Run: apt-get install $missing"
    fi
    printf 'Installing %s\n' "$missing" >&2
    apt_get="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
    $apt_get update </dev/null >&2 || printf 'warning: apt-get update failed; trying all the same\n' >&2
    # shellcheck disable=SC2086 # a list of packages
    $apt_get install -y --no-install-recommends $missing </dev/null >&2 ||
        setup_fail "apt-get could not install: $missing"
}
