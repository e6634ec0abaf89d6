# Options of the compiler that change results are refused when a build is set up; others are not.
#
#     sh options.sh SOURCE_ROOT FOLDER COMPILER
#
# FOLDER gets builds of its own. COMPILER is a gcc or a clang.
set -eu
source=$1
folder=$2
compiler=$3
. "$source/tests/check.sh"
unset CFLAGS CPPFLAGS LDFLAGS

set_up() {
    rm -rf "$folder/build"
    env CC="$compiler" "$@"
}

# Fails unless the command fails and says the words.
refused() {
    words=$1
    shift
    if set_up "$@" >"$folder/said" 2>&1; then
        echo 'this was set up'
        return 1
    fi
    cat "$folder/said"
    grep -qF -e "$words" "$folder/said"
}

# refuse WORDS OPTION...: as c_args.
refuse() {
    words=$1
    shift
    check "$compiler $*" refused "$words" meson setup "$folder/build" "$source" "-Dc_args=$*"
}

# What a compiler does not know or does not heed needs no refusal.
refuse_if_known() {
    if "$compiler" -Werror -fsyntax-only "$2" "$source/lib/kernels/ieee754.c" 2>/dev/null; then
        refuse "$@"
    fi
}

refuse_in_gcc() {
    refuse '-ffast-math' -ffast-math
    refuse '-Ofast' -Ofast
    refuse '-funsafe-math-optimizations' -funsafe-math-optimizations
    refuse '-fassociative-math' -fassociative-math -fno-signed-zeros -fno-trapping-math
    refuse '-freciprocal-math' -freciprocal-math
    refuse '-ffinite-math-only' -ffinite-math-only
    refuse '-fno-signed-zeros' -fno-signed-zeros
    refuse '-fsingle-precision-constant' -fsingle-precision-constant
    case $(uname -m) in
    x86_64 | i?86)
        refuse '-mfpmath=387' -mfpmath=387
        refuse '-mno-ieee-fp' -mno-ieee-fp ;;
    esac
    # Without the build system too.
    check 'kernels.c' refused '-freciprocal-math' "$compiler" -freciprocal-math -fsyntax-only \
        -DSUGAR_LEVEL_NAME=scalar -DSUGAR_TYPE=f32 -I"$source/lib" -I"$source/include" "$source/lib/kernels/kernels.c"
}

refuse_in_clang() {
    refuse '-ffast-math' -ffast-math
    refuse '-funsafe-math-optimizations: clang would' -funsafe-math-optimizations
    refuse '-fno-trapping-math: clang would' -fassociative-math -fno-signed-zeros -fno-trapping-math
    refuse '-freciprocal-math: clang would' -freciprocal-math
    refuse '-ffinite-math-only' -ffinite-math-only
    refuse '-fno-signed-zeros: clang would' -fno-signed-zeros
    refuse '-fno-honor-nans: clang would' -fno-honor-nans
    refuse '-fapprox-func: clang would' -fapprox-func
    refuse '-fdenormal-fp-math=positive-zero: clang would' -fdenormal-fp-math=positive-zero
    refuse '-ffp-model=fast' -ffp-model=fast
    refuse_if_known '-mfpmath=387' -ffp-eval-method=double
}

refuse_to_link() {
    check "$compiler, in the environment" refused '-ffast-math' env CFLAGS=-ffast-math \
        meson setup "$folder/build" "$source"
    case $("$compiler" -ffast-math '-###' "$source/lib/kernels/ieee754.c" 2>&1) in
    *crtfastmath*)
        check "$compiler, to link" refused 'crtfastmath.o' env LDFLAGS=-ffast-math \
            meson setup "$folder/build" "$source" ;;
    *) echo "$compiler links nothing for -ffast-math" ;;
    esac
}

# The order in which the compiler gets the options: the last one about contraction counts.
kernels_turn_off_contraction() {
    grep '"command".*kernels/kernels\.c"' "$folder/build/compile_commands.json" >"$folder/commands"
    cat "$folder/commands"
    [ -s "$folder/commands" ] && ! grep -vq 'ffp-contract=fast.*-ffp-contract=off' "$folder/commands" &&
        ! grep -q 'ffp-contract=off.*-ffp-contract=fast' "$folder/commands"
}

# lib/kernels/ieee754.h says why.
let_through() {
    harmless='-ftrapping-math -frounding-math -fassociative-math -ffp-contract=fast'
    case $(uname -m) in x86_64 | i?86) harmless="$harmless -mrecip -mno-fma" ;; esac
    check "$compiler $harmless" set_up meson setup "$folder/build" "$source" "-Dc_args=$harmless"
    check "$compiler: contraction is off" kernels_turn_off_contraction
}

command -v "$compiler" >/dev/null || { echo "skipped: options: there is no $compiler here"; exit 77; }
mkdir -p "$folder"
case $("$compiler" -dM -E -x c /dev/null) in
*__clang__*) refuse_in_clang ;;
*) refuse_in_gcc ;;
esac
refuse_to_link
let_through
check_summary
