# A virtual environment with a framework, and in it the package as it is in this checkout.
#
#     sh environment.sh NAME FOLDER
#
# NAME is torch or jax: what NAME.txt lists is installed; or a file of requirements, with its folder. FOLDER is used
# again while that file is the same, and so is what was compiled there. SUGAR_PYTHON names the Python that makes it.
# Prints `skipped: NAME: why`, with exit status 77, if pip does not find the packages.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=$1
case $name in
*/*) list=$name ;;
*) list=$here/$name.txt ;;
esac
mkdir -p "$2"
folder=$(CDPATH='' cd -- "$2" && pwd)
for python in "${SUGAR_PYTHON:-python3}" /usr/bin/python3 ''; do
    [ -n "$python" ] || { echo "skipped: $name: no python3 has venv"; exit 77; }
    "$python" -c 'import venv, ensurepip' 2>/dev/null && break
done

pip() {
    "$folder/bin/python" -m pip --disable-pip-version-check --no-input --timeout 30 --retries 1 "$@"
}

if ! cmp -s "$list" "$folder/$(basename "$list")"; then
    rm -rf "$folder"
    mkdir -p "$folder"
    "$python" -m venv "$folder"
    pip install --quiet -r "$list" >"$folder/pip.log" 2>&1 || {
        echo "skipped: $name: pip has not all of $list: $(grep '^ERROR' "$folder/pip.log" | tail -n 1)"
        exit 77
    }
    cp "$list" "$folder"
fi

# Environments beside each other share the folder in which the package is built, one after the other; without flock
# each has its own.
package=$folder/../package
exec 9>"$package.lock"
flock 9 2>/dev/null || package=$folder/package
PATH=$folder/bin:$PATH pip install --quiet --no-deps --no-build-isolation --force-reinstall \
    --config-settings "build-dir=$package" "$here/.." >"$folder/package.log" 2>&1 || {
    cat "$folder/package.log"
    exit 1
}
exec 9>&-
