# libsugar for Fortran as a user gets it: built and installed by meson, found by pkg-config, and tested.
#
#     sh test.sh SOURCE_ROOT FOLDER BUILD_ROOT
#
# The package goes into FOLDER and uses the library of BUILD_ROOT, which SUGAR_LIBRARY names.
set -eu
source=$1 folder=$2 build=$3
here=$source/bindings/fortran
command -v gfortran >/dev/null || { echo 'skipped: fortran: there is no gfortran'; exit 77; }
command -v pkg-config >/dev/null || { echo 'skipped: fortran: there is no pkg-config'; exit 77; }
mkdir -p "$folder"
. "$source/tests/check.sh"

export PKG_CONFIG_PATH="$folder/prefix/lib/pkgconfig:$build/meson-uninstalled"
LD_LIBRARY_PATH=$(dirname "$SUGAR_LIBRARY")
export LD_LIBRARY_PATH

rm -rf "$folder/package" "$folder/prefix"
check 'meson setup' meson setup "$folder/package" "$here/src" --prefix "$folder/prefix" --libdir lib --werror \
    -Dfortran_args=-Wno-missing-include-dirs    # the uninstalled libsugar.pc names one
check 'meson install' meson install -C "$folder/package"
[ "$failed" = 0 ] || { check_summary; exit 1; }

build_program() {
    name=$1 source_file=$2
    shift 2
    # shellcheck disable=SC2046 # a list of options
    check "$name: builds" gfortran -std=f2018 -g -O1 "$@" -J "$folder" -o "$folder/$name" "$source_file" \
        $(pkg-config --cflags --libs libsugar-fortran)
}

# -fcheck=all says where a temporary array was made for an argument.
not_said() {
    ! "$folder/test_libsugar" 2>&1 | grep "$1"
}

stops_with_the_message() {
    ! "$folder/test_libsugar" stop 2>"$folder/stopped" && grep -q "did you mean 'relu'" "$folder/stopped"
}

build_program example "$here/example/example.f90"
build_program test_libsugar "$here/test/test_libsugar.f90" -fcheck=all
build_program test_vectors "$here/test/test_vectors.f90" -fcheck=all -fcheck=no-pointer     # it holds NULL for an error
# Exceptions end this program, but none is trapped within a call.
build_program test_trapped "$here/test/test_vectors.f90" -ffpe-trap=invalid,zero,overflow,underflow
# shellcheck disable=SC2046 # a list of options
check 'test_arrays: builds' gcc -std=c11 -Wall -Wextra -Werror -o "$folder/test_arrays" "$here/test/test_arrays.c" \
    $(pkg-config --cflags --libs libsugar-fortran) -lgfortran
build_program overhead "$here/test/overhead.f90"
python3 "$here/test/vectors.py" "$source/bindings/vectors/vectors.json" >"$folder/vectors.txt"

check 'example' "$folder/example"
check 'the module' "$folder/test_libsugar"
check 'no array was copied' not_said temporary
check 'an error that nobody asks for stops the program' stops_with_the_message
check 'strides of bytes' "$folder/test_arrays"
check 'the shared vectors' "$folder/test_vectors" "$folder/vectors.txt"
check 'the shared vectors, with exceptions trapped' "$folder/test_trapped" "$folder/vectors.txt"
if command -v valgrind >/dev/null; then
    # Runs what is there for any processor: valgrind knows no AVX-512.
    check 'all is freed' env SUGAR_LEVEL=scalar valgrind -q --error-exitcode=9 --leak-check=full \
        --errors-for-leak-kinds=definite,possible "$folder/test_libsugar"
else
    echo 'skipped: fortran: there is no valgrind to see that all is freed'
fi
check_summary
