# What the documents show: the catalogue, the table of names, the picture, the README's program, links.
#
#     sh doc.sh SOURCE_ROOT FOLDER CATALOGUE CURVES LIBRARY
#
# CATALOGUE and CURVES are the built programs of doc/examples, LIBRARY the built library.
set -eu
source=$1 folder=$2 catalogue=$3 curves=$4 library=$5
CC=${CC:-cc}
. "$source/tests/check.sh"

# The first block of C in the README, as a user would paste it, and the lines that it is said to print.
readme_program() {
    awk '/^```c$/ {on = 1; next} /^```$/ {on = 0} on' "$source/README.md" >"$folder/readme.c"
    # Unquoted on purpose: CC may hold options.
    $CC -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$source/include" "$folder/readme.c" "$library" \
        -Wl,-rpath,"$(dirname "$library")" -o "$folder/readme" &&
        "$folder/readme" >"$folder/readme.out" &&
        sed -n 's/^    \(x .*   dx .*\)/\1/p' "$source/README.md" | diff - "$folder/readme.out"
}

# The anchors of a document's headings, as GitHub makes them: in lower case, without punctuation, blanks as hyphens; the
# second heading of the same name ends in -1.
anchors() {
    awk '/^ *```/ { is_code = !is_code }
        !is_code && sub(/^#+ +/, "") {
            gsub(/\]\([^)]*\)/, "")            # a link leaves its text
            $0 = tolower($0)
            gsub(/[^a-z0-9 _-]/, "")
            gsub(/ /, "-")
            print seen[$0]++ ? $0 "-" seen[$0] - 1 : $0
        }' "$1"
}

# Every relative link of a document leads to a file that exists, and to a heading of it that exists.
links() {
    grep -oE '\]\([^) ]+\)' "$1" | sed 's/^](//; s/)$//' | grep -v ':' | while read -r target; do
        case $target in
        '#'*) file=$1 ;;
        *) file=$(dirname "$1")/${target%%#*} ;;
        esac
        [ -e "$file" ] || { echo "$1: $target: no file $file"; return 1; }
        case $target in
        *'#'*)
            anchors "$file" | grep -qxF -e "${target#*#}" ||
                { echo "$1: $target: no such heading; expected one of:" && anchors "$file"; return 1; }
            ;;
        esac
    done
}

# A table of errors in doc/numbers.md, which tests/accuracy/table.py writes, has the kinds of the new catalogue.
error_table() {
    sed -n 's/^### //p' "$folder/catalogue.md" >"$folder/kinds"
    sed -n "/^<!-- $1: begin -->\$/,/^<!-- $1: end -->\$/s/^| \([a-z0-9_]*\) |.*/\1/p" "$source/doc/numbers.md" |
        grep -vx kind | diff "$folder/kinds" -
}

# How many functions and surrogates the README says there are.
readme_counts() {
    surrogates=$(sed -n '/^## Surrogates only/,$s/^### //p' "$folder/catalogue.md" | wc -l)
    functions=$(($(grep -c '^### ' "$folder/catalogue.md") - surrogates))
    grep -q " $functions functions and $surrogates spike shapes" "$source/README.md" ||
        { echo "README.md: expected '$functions functions and $surrogates spike shapes'"; return 1; }
}

mkdir -p "$folder"
"$catalogue" >"$folder/catalogue.md"
"$curves" >"$folder/surrogates.svg"
python3 "$source/tests/doc/names.py" >"$folder/names.md"
check 'doc/catalogue.md is what doc/examples/catalogue.c prints' \
    diff "$source/doc/catalogue.md" "$folder/catalogue.md"
check 'doc/names.md is what tests/doc/names.py prints' diff "$source/doc/names.md" "$folder/names.md"
check 'doc/surrogates.svg is what doc/examples/curves.c prints' \
    diff -q "$source/doc/surrogates.svg" "$folder/surrogates.svg"
for errors in errors 'short errors'; do
    check "the table '$errors' in doc/numbers.md has every kind (tests/accuracy/table.py)" error_table "$errors"
done
check 'README.md counts the kinds of the catalogue' readme_counts
check 'the program in README.md prints what is said there' readme_program
for document in "$source"/README.md "$source"/doc/*.md "$source"/doc/experiments/README.md \
        "$source"/bindings/README.md "$source"/bindings/*/*.md; do
    check "links of $document" links "$document"
done
[ "$failed" = 0 ] || echo 'meson compile -C build regenerate writes the generated documents anew'
check_summary
