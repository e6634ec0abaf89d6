# zig's C compiler, in the manner that libsugar's build expects of one.
#
#     sh zig.sh ZIG TARGET ARGUMENT...      TARGET: such as x86_64-linux-gnu.2.17
set -eu
zig=$1
target=$2
shift 2

# zig takes the name - for that of a file, where others write to standard output.
case " $* " in
*' -o - '*)
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cd "$folder"
    "$zig" cc -target "$target" "$@"
    cat ./-
    exit
    ;;
esac

# It knows only the option that binds all symbols within the library; libsugar exports nothing but functions.
for argument; do
    shift
    [ "$argument" != -Wl,-Bsymbolic-functions ] || argument=-Wl,-Bsymbolic
    set -- "$@" "$argument"
done
exec "$zig" cc -target "$target" "$@"
