# How the tracked files are written: the layout of C, what linters of shell and Python find, blanks and line ends.
#
#     sh tests/lint.sh            checks
#     sh tests/lint.sh --fix      lays out the C files as .clang-format says
#
# Generated files, those with linguist-generated in .gitattributes, are passed over. A tool that is not there is named
# as skipped; the exit status is then 77, unless something else failed.
set -eu
cd "$(dirname "$0")/.."
. tests/check.sh
clang_format_version=19         # that of Debian 12 and 13; others lay out some lines differently
width=120
homes='(home|root|Users|tmp|mnt|work)'
skipped=

skip() {
    echo "skipped: $*"
    skipped=yes
}

# The command that is clang-format of the right version.
find_clang_format() {
    for command in "clang-format-$clang_format_version" clang-format; do
        "$command" --version 2>/dev/null | grep -q "version $clang_format_version\." && { echo "$command"; return; }
    done
    return 1
}

# clang-format takes the blanks away before all comments that follow one that ends too far to the right, which it
# measures so: .clang-format, AlignTrailingComments.
comments_in_reach() {
    # shellcheck disable=SC2016 # variables of awk
    xargs awk -v width=$width '
        { sub(/ *\\$/, "") }
        match($0, /^ *\/\*/) { if (length($0) + RLENGTH - 2 >= width) far(); next }
        /\/\*/ && length($0) + 1 >= width { far() }
        function far() { printf "%s:%d: break the comment of this line earlier\n", FILENAME, FNR; failed = 1 }
        END { exit failed }' <"$folder/c"
}

laid_out() {
    xargs "$clang_format" --dry-run --Werror --ferror-limit=1 <"$folder/c" 2>"$folder/layout" && return
    grep ": error:" "$folder/layout" || cat "$folder/layout"
    return 1
}

# matches GREP_OPTION PATTERN FILE_LIST...: shows the lines that match; there should be none.
matches() {
    option=$1 pattern=$2
    shift 2
    cat "$@" | LC_ALL=C.UTF-8 xargs grep -nI "$option" -e "$pattern"
}

no_blanks_at_ends() { ! matches -E '[[:blank:]]$' "$folder/all"; }
no_carriage_returns() { ! matches -F "$(printf '\r')" "$folder/all"; }
no_tabs() { ! matches -F "$(printf '\t')" "$folder/without_tabs"; }
no_long_lines() { ! matches -E ".{$((width + 1))}" "$folder/short"; }
no_paths_of_a_machine() { ! matches -E "(^|[^[:alnum:]_.})/-])/$homes/[[:alnum:]_.]" "$folder/all"; }

# Folders of lib/ include what stands above them in doc/internals.md, "The rooms"; .def files may be included anywhere.
rooms_in_order() {
    git ls-files 'lib/*.[ch]' | xargs grep -n '^#include "' | awk -F: '
        BEGIN {
            count = split("base kernels kernels/isa kernels/math kernels/kinds kernels/loops kernels/kernels.c " \
                          "cpu view monitor threads activation call", order, " ")
            for (i = 1; i <= count; i++) rank[order[i]] = i
        }
        function room(file) {
            if (file != "kernels/kernels.c") sub(/\/[^\/]*$/, "", file)
            return file
        }
        {
            from = $1; sub(/^lib\//, "", from)
            to = $3; sub(/^#include "/, "", to); sub(/".*/, "", to)
            if (to !~ /\// || to ~ /^sugar\// || to ~ /\.def$/) next
            if (!(room(from) in rank) || !(room(to) in rank) || rank[room(to)] > rank[room(from)]) {
                printf "%s:%d: includes %s, a room below its own\n", $1, $2, to
                failed = 1
            }
        }
        END { exit failed }'
}

valid_utf8() {
    while read -r file; do
        iconv -f UTF-8 -t UTF-8 "$file" >/dev/null || { echo "$file: not UTF-8"; return 1; }
    done <"$folder/all"
}

final_newlines() {
    while read -r file; do
        [ -z "$(tail -c 1 "$file")" ] || { echo "$file: no newline at the end"; return 1; }
    done <"$folder/all"
}

# Each name in .gitattributes is a file's, and every template's output is among them.
generated_files_named() {
    sed -n 's/^\([^# ]*\) .*linguist-generated.*/\1/p' .gitattributes | sort >"$folder/named"
    sort "$folder/all" | comm -13 - "$folder/named" | sed 's/$/: in .gitattributes, but no file/' >"$folder/wrong"
    grep '\.j2$' "$folder/all" | while read -r template; do
        output=$(sed -n '1s/^{#-* output: \(.*[^ -]\) -*#}$/\1/p' "$template")
        echo "$template" | sed "s,^\(bindings/[^/]*\)/.*,\1/$output,"
    done | sort | comm -23 - "$folder/named" | sed 's/$/: generated, but not in .gitattributes/' >>"$folder/wrong"
    cat "$folder/wrong"
    [ ! -s "$folder/wrong" ]
}

git ls-files >/dev/null 2>&1 || { echo 'skipped: lint: no git, or no checkout of it'; exit 77; }
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
# Links are left out: what they lead to is listed itself.
git ls-files | while read -r file; do
    [ -L "$file" ] || [ ! -f "$file" ] || echo "$file"
done >"$folder/all"
git check-attr --stdin linguist-generated <"$folder/all" | sed -n 's/: linguist-generated: unspecified$//p' \
    >"$folder/written"
grep '\.[ch]$' "$folder/written" >"$folder/c"
grep '\.py$' "$folder/written" >"$folder/python"
grep '\.sh$' "$folder/written" >"$folder/shell"
grep -v '^bindings/go/' "$folder/all" >"$folder/without_tabs"
# Documents have tables, a template's line is as long as what it prints, and an experiment's result is a line.
grep -vE '\.(md|j2|jsonl)$' "$folder/written" >"$folder/short"

clang_format=$(find_clang_format) || clang_format=
if [ "${1:-}" = --fix ]; then
    [ -n "$clang_format" ] || { echo "error: there is no clang-format $clang_format_version here" >&2; exit 2; }
    comments_in_reach >&2 || exit 1
    xargs "$clang_format" -i <"$folder/c"
    exit
fi

check 'comments end where clang-format leaves them' comments_in_reach
if [ -n "$clang_format" ]; then
    check 'C is laid out as .clang-format says (sh tests/lint.sh --fix)' laid_out
else
    skip "lint of C: there is no clang-format $clang_format_version"
fi
if command -v shellcheck >/dev/null; then
    check 'shell: shellcheck' xargs shellcheck <"$folder/shell"
    check 'shell: shellcheck of .ci/run' shellcheck --shell=bash .ci/run
else
    skip 'lint of shell: there is no shellcheck'
fi
if command -v flake8 >/dev/null; then
    check 'Python: flake8' xargs flake8 <"$folder/python"
else
    skip 'lint of Python: there is no flake8'
fi
check 'generated files are named in .gitattributes' generated_files_named
check 'no blanks at the ends of lines' no_blanks_at_ends
check 'no carriage returns' no_carriage_returns
check 'no tabs but in Go' no_tabs
check 'rooms of lib/ include in one direction' rooms_in_order
check "no lines over $width columns" no_long_lines
check 'no paths of somebody'\''s machine' no_paths_of_a_machine
check 'every file is UTF-8' valid_utf8
check 'every file ends with a newline' final_newlines
check_summary
[ -z "$skipped" ] || exit 77
