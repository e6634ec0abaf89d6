# C++'s tests.
#
#     sh test.sh SOURCE_ROOT LIBRARY FOLDER
#
# FOLDER gets the programs. Each compiler that is there builds every test in C++17 and C++20, and without
# exceptions; g++ once more under ASan and UBSan.
set -eu
source=$1
library=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
folder=$3
here=$source/bindings/cpp
. "$source/tests/check.sh"

warnings='-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wundef -Wcast-qual
    -Wcast-align -Wold-style-cast -Wzero-as-null-pointer-constant -Wnon-virtual-dtor'
sanitizers='-g -fsanitize=address,undefined -fno-sanitize-recover=all'

# program NAME FILE COMPILER FLAG...: compiled and run.
program() {
    program=$folder/$1
    file=$here/$2
    shift 2
    # shellcheck disable=SC2086 # a list of words
    check "$file, $*" "$@" $warnings -I"$source/include" -I"$here/include" "$file" -o "$program" \
        "$library" "-Wl,-rpath,$(dirname "$library")" -pthread
    case $program in */vectors) set -- "$source/bindings/vectors/vectors.json" ;; *) set -- ;; esac
    check "$program" "$program" "$@"
    tail -n 1 "$folder/output"
}

refused() {
    ! "$@"
}

compilers=
for compiler in g++ clang++; do
    if command -v "$compiler" >/dev/null; then
        compilers="$compilers $compiler"
    else
        echo "without $compiler, which is not there"
    fi
done
[ -n "$compilers" ] || { echo 'skipped: no g++ and no clang++'; exit 77; }

mkdir -p "$folder"
for compiler in $compilers; do
    for standard in 17 20; do
        program layer tests/layer.cpp "$compiler" -O1 -std=c++$standard
        program layer tests/layer.cpp "$compiler" -O1 -std=c++$standard -fno-exceptions
    done
    program vectors tests/vectors.cpp "$compiler" -O1 -std=c++17
    program example examples/example.cpp "$compiler" -O1 -std=c++17
    program overhead tests/overhead.cpp "$compiler" -O2 -std=c++17
    for header in sugar.hpp cpp/error.hpp cpp/handle.hpp cpp/lowlevel.hpp cpp/view.hpp; do
        echo "#include <sugar/$header>" >"$folder/header.cpp"
        # shellcheck disable=SC2086 # a list of words
        check "$header alone, $compiler" "$compiler" -std=c++17 $warnings -I"$source/include" -I"$here/include" \
            -fsyntax-only "$folder/header.cpp"
    done
    # What the types forbid does not compile.
    for wrong in 'const float y[1] = {}; a.forward(y, y)' 'double y[1]; float x[1] = {}; a.forward(x, y)' \
        'int y[1]; a.forward(y, y)' 'sugar::activation b(a)'; do
        echo "#include <sugar/sugar.hpp>
            void f(sugar::activation &a); void f(sugar::activation &a) { $wrong; }" >"$folder/wrong.cpp"
        check "$compiler refuses: $wrong" refused "$compiler" -std=c++17 -I"$source/include" -I"$here/include" \
            -fsyntax-only "$folder/wrong.cpp"
    done
done
case $compilers in
*g++*)
    # shellcheck disable=SC2086 # a list of words
    program layer tests/layer.cpp g++ -O1 -std=c++17 $sanitizers
    # shellcheck disable=SC2086 # a list of words
    program vectors tests/vectors.cpp g++ -O1 -std=c++17 $sanitizers
    ;;
esac
check_summary
