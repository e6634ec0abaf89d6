# The README's two commands in bare folders of Debian, and builds of everything that take warnings for errors. Needs
# root, debootstrap, the network, and about 10 GB for each release.
#
#     sh systems.sh SOURCE_ROOT FOLDER
#
# SUGAR_SYSTEMS names the releases, by default: bookworm trixie sid (Debian 12, 13, unstable).
#
# FOLDER keeps for each release RELEASE.bare, made by debootstrap (delete it to have a newer one); RELEASE, the copy in
# which the last step ran; and RELEASE-STEP.log; for all of them packages, which are so fetched once. The sources are
# the working tree: what git tracks, and what it does not track and does not ignore.
set -u
source=$1
folder=$2
releases=${SUGAR_SYSTEMS:-bookworm trixie sid}
. "$source/tests/debian.sh"

lacks=$(debian_lacks; command -v git >/dev/null || echo 'there is no git')
[ -z "$lacks" ] || { echo "skipped: systems: $lacks"; exit 77; }
mkdir -p "$folder/packages"
folder=$(CDPATH='' cd -- "$folder" && pwd)

passed=0
failed=0
skipped=0
child=
trap '[ -z "$child" ] || kill -KILL "$child"; exit 130' HUP INT TERM

# Files that git knows and that are there.
list_sources() {
    git -C "$source" -c safe.directory="$source" ls-files --cached --others --exclude-standard |
        while IFS= read -r file; do
            [ ! -e "$source/$file" ] && [ ! -L "$source/$file" ] || printf '%s\n' "$file"
        done
}

# Makes $folder/$release anew, bare, with the sources in /srv/libsugar; and the certificates
# of an organisation's own, which pip takes from PIP_CERT.
make_system() {
    make_debian "$release" "$folder/$release.bare" || return 1
    rm -rf "${folder:?}/$release"
    cp -a --reflink=auto "$folder/$release.bare" "$folder/$release"
    mkdir "$folder/$release/srv/libsugar"
    list_sources | tar -C "$source" -c -T - | tar -C "$folder/$release/srv/libsugar" -x
    # A checkout with a commit, which the suite lint and the source package of Python need.
    git -C "$folder/$release/srv/libsugar" init -q
    git -C "$folder/$release/srv/libsugar" add -A
    git -C "$folder/$release/srv/libsugar" -c user.name=systems -c user.email= commit -q -m 'the sources'
    if [ -n "${PIP_CERT:-}" ]; then
        cp "$PIP_CERT" "$folder/$release/srv/pip.pem"
    fi
}

# Runs a line of shell in the sources there. In the background, so that the trap can end it at once.
run_there() {
    (enter_debian "$folder/$release" --bind "$folder/packages" /var/cache/apt/archives \
        env ${PIP_CERT:+PIP_CERT=/srv/pip.pem} sh -c "cd /srv/libsugar && $1") </dev/null >>"$log" 2>&1 &
    child=$!
    wait "$child"
    status=$?
    child=
    return "$status"
}

# What compilers say, in the words of gcc, clang, gfortran and rustc.
warned() {
    grep -E '^([^ ]+:[0-9]+(:[0-9]+)?: |)[Ww]arning(: |\[)' "$log" | grep -v '^warning: apt-get'
}

# The reasons in the summary of run.sh.
skipped_there() {
    sed -n 's/^[a-z-]* *[0-9]* s  skipped (\(.*\))$/\1/p' "$log" | paste -s -d ';' -
}

# step NAME COMMAND...: one line that says how it went, more if badly. A step that skips something is skipped.
step() {
    name=$1
    shift
    log=$folder/$release-$name.log
    started=$(date +%s)
    : >"$log"
    if ! "$@"; then
        result=FAILED
        failed=$((failed + 1))
    elif warned >/dev/null; then
        result='FAILED (warnings)'
        failed=$((failed + 1))
    elif reasons=$(skipped_there) && [ -n "$reasons" ]; then
        result="skipped ($reasons)"
        skipped=$((skipped + 1))
        printf 'skipped: %s %s: %s\n' "$release" "$name" "$reasons"
    else
        result=passed
        passed=$((passed + 1))
    fi
    printf '%-10s %-8s %5d s  %s\n' "$release" "$name" $(($(date +%s) - started)) "$result"
    case $result in FAILED*) warned; tail -n 40 "$log"; printf 'All of it: %s\n' "$log" ;; esac
}

example() {
    make_system >>"$log" 2>&1 && run_there 'sh doc/examples/resurrect.sh && cat build/example/resurrect-build.log'
}

tests() {
    make_system >>"$log" 2>&1 && run_there 'sh tests/run.sh'
}

# In the folder of the tests, whose packages are there; peers and bench have more.
strict() {
    run_there "sh tests/run.sh --set-up peers bench &&
        CC=$1 meson setup build/$1 -Dtests=true -Dexamples=true -Dwerror=true && ninja -k 0 -C build/$1"
}

for release in $releases; do
    step example example
    step tests tests
    step gcc strict gcc
    step clang strict clang
done

if [ "$skipped" = 0 ]; then
    printf '%d passed, %d failed\n' "$passed" "$failed"
else
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
fi
[ "$failed" = 0 ] || exit 1
[ "$skipped" = 0 ] || exit 77
