# An installed copy, as a user and as a distribution would look at it.
#
#     sh install.sh SOURCE_ROOT FOLDER LEVELS
#
# FOLDER gets a build, with the option `levels`, and an installation of its own. CC is the compiler of that build.
set -eu
source=$1
folder=$2
levels=$3
here=$source/tests/install
prefix=$folder/prefix
CC=${CC:-cc}
. "$source/tests/check.sh"

strict='-Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wundef -Wcast-qual
    -Wcast-align -Wwrite-strings -Wformat=2 -Wdouble-promotion'
strict_c='-Wstrict-prototypes -Wmissing-prototypes -Wvla'
strict_cxx='-Wold-style-cast -Wzero-as-null-pointer-constant -Wnon-virtual-dtor'

# equal FILE FILE: the same lines; prints the differences.
equal() {
    diff "$1" "$2"
}

empty() {
    cat "$1"
    [ ! -s "$1" ]
}

install_copy() {
    rm -rf "$folder/build" "$prefix"
    mkdir -p "$folder"
    if ! { meson setup "$folder/build" "$source" --prefix="$prefix" --libdir=lib --default-library=both \
            -Dlevels="$levels" &&
           meson install -C "$folder/build"; } >"$folder/log" 2>&1; then
        cat "$folder/log"
        echo "FAILED: no copy could be built and installed"
        exit 1
    fi
    export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
}

# The program in C and in C++, against the shared and against the static library.
# shellcheck disable=SC2046,SC2086 # compilers and lists of options
check_programs() {
    cflags=$(pkg-config --cflags libsugar)
    libs=$(pkg-config --libs libsugar)
    static_libs=$(pkg-config --static --libs libsugar)
    library_path=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    cp "$here/program.c" "$folder/program.cpp"
    for compiler in "$CC" g++ clang clang++; do
        case $compiler in *++) file=$folder/program.cpp ;; *) file=$here/program.c ;; esac
        program=$folder/program-$(printf %s "$compiler" | tr -c 'a-z0-9+' _)
        check "shared, $compiler" $compiler $cflags "$file" -o "$program" $libs
        check "shared, $compiler, run" env LD_LIBRARY_PATH="$library_path" "$program"
        check "static, $compiler" $compiler $cflags "$file" -o "$program-static" -static $static_libs
        check "static, $compiler, run" "$program-static"
    done
    for compiler in gcc clang; do
        program=$folder/same_names-$compiler
        check "names of the library in a program, $compiler" $compiler $cflags "$here/same_names.c" -o "$program" $libs
        check "names of the library in a program, $compiler, run" env LD_LIBRARY_PATH="$library_path" "$program"
    done
    check 'C++ by libsugar-cpp' g++ -std=c++17 $(pkg-config --cflags libsugar-cpp) \
        "$source/bindings/cpp/examples/example.cpp" -o "$folder/example" $(pkg-config --libs libsugar-cpp)
    check 'C++ by libsugar-cpp, run' env LD_LIBRARY_PATH="$library_path" "$folder/example"
    readelf -d "$folder/program-g++" | sed -n 's/.*NEEDED.*\[\(libsugar.*\)\]/\1/p' >"$folder/needed"
    echo "libsugar.so.$abi" >"$folder/expected"
    check 'a program needs the SONAME' equal "$folder/expected" "$folder/needed"
    check 'the version in libsugar.pc is the one in the header' pkg-config --exact-version="$version" libsugar
}

# shellcheck disable=SC2086 # compilers and lists of options
check_headers() {
    (cd "$prefix/include" && find . -name '*.h') | sed 's,^\./,,' >"$folder/headers"
    check 'there is a header' test -s "$folder/headers"
    while read -r header; do
        printf '#include <%s>\n' "$header" >"$folder/header.c"
        printf '#include <%s>\n' "$header" >"$folder/header.cpp"
        for standard in c99 c11 c17; do
            for compiler in gcc clang; do
                check "$header as $standard, $compiler" $compiler -std=$standard $strict $strict_c \
                    -I"$prefix/include" -c "$folder/header.c" -o "$folder/header.o"
            done
        done
        for standard in c++11 c++17 c++20; do
            for compiler in g++ clang++; do
                check "$header as $standard, $compiler" $compiler -std=$standard $strict $strict_cxx \
                    -I"$prefix/include" -c "$folder/header.cpp" -o "$folder/header.o"
            done
        done
    done <"$folder/headers"
    check 'sugar_tensor is DLTensor' $CC -std=c11 -I"$prefix/include" -c "$here/dlpack.c" -o "$folder/dlpack.o"
}

# A DLTensor of the program's own, by a pointer cast. The third build sees through all calls.
check_aliasing() {
    for compiler in gcc clang; do
        # shellcheck disable=SC2046 # lists of options
        check "DLTensor, $compiler -O3" $compiler -O3 $(pkg-config --cflags libsugar) "$here/aliasing.c" \
            -o "$folder/aliasing-$compiler" -static $(pkg-config --static --libs libsugar)
        check "DLTensor, $compiler -O3, run" "$folder/aliasing-$compiler"
    done
    rm -rf "$folder/lto"
    check 'a static library with -flto' env CC=gcc meson setup "$folder/lto" "$source" -Ddefault_library=static \
        -Db_lto=true -Doptimization=3 -Dlevels=scalar
    check 'a static library with -flto, build' ninja -C "$folder/lto"
    check 'DLTensor, gcc -O3 -flto' gcc -O3 -flto -I"$prefix/include" "$here/aliasing.c" -o "$folder/aliasing-lto" \
        "$folder/lto/lib/libsugar.a" -lm -pthread
    check 'DLTensor, gcc -O3 -flto, run' "$folder/aliasing-lto"
}

# The library's symbols are those of the map, and the header declares each.
check_symbols() {
    sed -n '/global:/,/local:/s/^ *\([a-z][a-z0-9_]*\);$/\1/p' "$source/lib/libsugar.map" | sort >"$folder/map"
    check 'the map names symbols' test -s "$folder/map"
    nm -D --defined-only --format=posix "$library" | awk '$2 != "A" { sub(/@.*/, "", $1); print $1 }' |
        sort >"$folder/exported"
    check 'the exported symbols are those of the map' equal "$folder/map" "$folder/exported"
    printf '#include <sugar/sugar.h>\n' >"$folder/header.c"
    $CC -E -P -I"$prefix/include" "$folder/header.c" | tr -s ' \n' '  ' |
        grep -o 'sugar_[a-z0-9_]*(' | tr -d '(' | sort -u >"$folder/declared"
    check 'the declared functions are those of the map' equal "$folder/map" "$folder/declared"
    nm --defined-only --extern-only --format=posix "$prefix/lib/libsugar.a" |
        awk 'NF > 2 && $1 !~ /^sugar_/ { print $1 }' >"$folder/foreign"
    check 'all global names of the static library begin with sugar_' empty "$folder/foreign"
}

# Of libm, kernels may call fma alone: any other function differs from one libm to the next.
check_libm() {
    libm=$($CC -print-file-name=libm.so.6)
    nm -D --defined-only --format=posix "$libm" | awk '{ sub(/@.*/, "", $1); print $1 }' |
        sort -u >"$folder/libm"
    check 'libm has functions' grep -qx expf "$folder/libm"
    for file in "$library" "$prefix/lib/libsugar.a"; do
        case $file in *.a) dynamic= ;; *) dynamic=-D ;; esac
        nm $dynamic --undefined-only --format=posix "$file" | awk 'NF > 1 { sub(/@.*/, "", $1); print $1 }' |
            sort -u | comm -12 - "$folder/libm" | grep -vxE 'fmaf?' >"$folder/calls" || true
        check "${file##*/} calls nothing of libm but fma" empty "$folder/calls"
    done
}

check_library_file() {
    readelf -d "$library" >"$folder/dynamic"
    readelf -lW "$library" >"$folder/segments"
    check 'the SONAME has the ABI number' grep -q "SONAME.*\[libsugar\.so\.$abi\]" "$folder/dynamic"
    check 'libsugar.so leads to the library' test "$prefix/lib/libsugar.so" -ef "$library"
    grep NEEDED "$folder/dynamic" | grep -vE '\[(libc|libm|libpthread|ld-linux[^]]*)\.so[.0-9]*\]' \
        >"$folder/others" || true
    check 'it needs libc, libm and threads alone' empty "$folder/others"
    grep -E 'TEXTREL' "$folder/dynamic" >"$folder/textrel" || true
    check 'it has no text relocations' empty "$folder/textrel"
    readelf -rW "$library" | grep ' sugar_' >"$folder/bound_late" || true
    check 'its calls of its own functions are bound' empty "$folder/bound_late"
    check 'its stack is not executable' grep -qE 'GNU_STACK.* RW +0x' "$folder/segments"
}

install_copy
abi=$(sed -n 's/^#define SUGAR_ABI_VERSION //p' "$prefix/include/sugar/sugar.h")
version=$(sed -n 's/^#define SUGAR_VERSION_[A-Z]* //p' "$prefix/include/sugar/sugar.h" | paste -s -d .)
library=$prefix/lib/libsugar.so.$abi
for tool in clang clang++ g++; do
    command -v $tool >/dev/null || { echo "skipped: there is no $tool here"; exit 77; }
done
check_programs
check_aliasing
check_headers
check_symbols
check_libm
check_library_file
check_summary
