# The unit and kernel suites under AddressSanitizer with UndefinedBehaviorSanitizer, and under valgrind;
# the tests of threads under ThreadSanitizer.
#
#     sh sanitize.sh SOURCE_ROOT FOLDER
#
# FOLDER gets a build for each tool. CC is the compiler of the build that runs this.
set -eu
source=$1
folder=$2
skipped=no
failed=0
passed=0

# run_under NAME MESON_OPTIONS -- MESON_TEST_ARGUMENTS: builds, and runs some of the tests.
run_under() {
    name=$1
    shift
    options=
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    printf '\n---- %s\n' "$name"
    # shellcheck disable=SC2086 # a list of words
    if { [ -f "$folder/$name/build.ninja" ] ||
         meson setup "$folder/$name" "$source" -Dtests=true --buildtype=debugoptimized $options; } &&
       meson test -C "$folder/$name" --verbose "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$name"
    fi
}

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
run_under address -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all -- \
    --suite unit --suite kernels
run_under thread -Db_sanitize=thread -Db_lundef=false -- unit-threads unit-monitor unit-learn unit-random unit-saved
if command -v valgrind >/dev/null; then
    # valgrind, up to 3.19 at least, computes vfnmadd(a, b, c) as -(a b - c), which is -0 where IEEE 754 has 0; and it
    # computes long double as double, so that sums in long double are no reference.
    export SUGAR_TEST_SHORT=1 SUGAR_TEST_ANY_ZERO=1
    valgrind="valgrind --quiet --leak-check=full --error-exitcode=9 --suppressions='$source/tests/valgrind.supp'"
    # It has no AVX-512.
    run_under valgrind -- --suite unit --suite kernels --no-suite own-malloc --no-suite long-double \
        --no-suite level-avx512 \
        --timeout-multiplier 3 --wrapper "$valgrind"
else
    echo 'skipped: valgrind: there is no valgrind here'
    skipped=yes
fi
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ] || exit 1
[ "$skipped" = no ] || exit 77
