# Writes all generated files anew, those of .gitattributes, each after what it is made from, and says which changed.
#
#     meson compile -C build regenerate       or
#     sh tests/regenerate.sh [BUILD_FOLDER]   build, unless named; set up with -Dtests=true
#
# What Python has no modules for is left out, and named. The tables of measurements in the documents are not written
# here, as their suites take minutes to hours: tests/accuracy/table.py, tests/bench/speed.py.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$(CDPATH='' cd -- "${1:-$root/build}" && pwd)
cd "$root"
export PYTHONDONTWRITEBYTECODE=1
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# python_with MODULES FILES: finds a python3 that has them, in PATH or the system's, or says what is left out.
python_with() {
    for python in python3 /usr/bin/python3; do
        "$python" -c "import $1" 2>/dev/null && return
    done
    echo "left out: $2: python3 has no $1"
    return 1
}

# write FILE COMMAND...: what the command prints, if it succeeds.
write() {
    file=$1
    shift
    "$@" >"$folder/printed"
    cmp -s "$folder/printed" "$file" || cp "$folder/printed" "$file"
}

sums() {
    sed -n 's/^\([^#* ]*\) .*linguist-generated.*/\1/p' .gitattributes | while read -r file; do
        [ -f "$file" ] && cksum "$file"
    done
}

sums >"$folder/before"
if python_with mpmath lib/kernels/math/tables.h; then
    write lib/kernels/math/tables.h "$python" lib/kernels/math/tables.py
fi
meson compile -C "$build" catalogue curves vectors digests
write doc/catalogue.md "$build/tests/doc/catalogue"
write doc/names.md python3 tests/doc/names.py
write doc/surrogates.svg "$build/tests/doc/curves"
write bindings/vectors/vectors.json "$build/bindings/vectors/vectors"
if python_with 'clang.cindex, jinja2' 'bindings'; then
    "$python" bindings/generate.py --library "$(find "$build/lib" -name 'libsugar.so.?')"
fi
"$build/tests/bits/digests" tests/bits/digests.txt --update
sums >"$folder/after"
diff "$folder/before" "$folder/after" | sed -n 's/^> [0-9]* [0-9]* /changed: /p' >"$folder/changed"
cat "$folder/changed"
[ -s "$folder/changed" ] || echo 'nothing changed'
