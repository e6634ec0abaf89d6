# The unit and kernel suites under a tool that finds what no result shows.
#
#     sh sanitize.sh address|thread SOURCE_ROOT FOLDER LEVELS
#     sh sanitize.sh valgrind SOURCE_ROOT BUILD
#
# address: AddressSanitizer with UndefinedBehaviorSanitizer; thread: ThreadSanitizer, the tests of threads alone. FOLDER
# gets a build for the tool, with the option `levels`, by CC, the compiler of the build that runs this. valgrind takes
# the programs of BUILD as they are, so by default it sees the code of a release; the assertions that a release lacks
# run in the other two.
set -eu
tool=$1
source=$2
folder=$3
levels=${4:-}

# build OPTION...: with -g1 kernels compile in three quarters of the time that they take with -g, and reports still name
# functions and lines. With -O1 it is half, but what is learned then takes 60 s to test instead of 8.
build() {
    [ -f "$folder/build.ninja" ] ||
        meson setup "$folder" "$source" -Dtests=true --buildtype=debugoptimized -Db_lundef=false -Dlevels="$levels" "$@"
}

case $tool in
address)
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    export UBSAN_OPTIONS=print_stacktrace=1
    build -Db_sanitize=address,undefined -Dc_args='-g1 -fno-sanitize-recover=all'
    meson test -C "$folder" --verbose --suite unit --suite kernels
    ;;
thread)
    build -Db_sanitize=thread -Dc_args=-g1
    meson test -C "$folder" --verbose unit-threads unit-monitor unit-learn_bits unit-random unit-saved_layouts \
        unit-fused_bits
    ;;
valgrind)
    command -v valgrind >/dev/null || { echo 'skipped: valgrind: there is no valgrind here'; exit 77; }
    # valgrind, up to 3.19 at least, computes vfnmadd(a, b, c) as -(a b - c), which is -0 where IEEE 754 has 0; and it
    # computes long double as double, so that sums in long double are no reference. It has no AVX-512. What a thread has
    # left on its stack may not be read. Of a script it would look at the shell.
    export SUGAR_TEST_SHORT=1 SUGAR_TEST_ANY_ZERO=1
    valgrind="valgrind --quiet --leak-check=full --error-exitcode=9 --suppressions='$source/tests/valgrind.supp'"
    meson test -C "$folder" --verbose --logbase sanitize-valgrind --suite unit --suite kernels \
        --no-suite own-malloc --no-suite own-stack --no-suite long-double --no-suite level-avx512 --no-suite script \
        --timeout-multiplier 3 --wrapper "$valgrind"
    ;;
esac
