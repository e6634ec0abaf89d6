# Every word of the vector vocabulary has a check: those that vec_scalar.h defines in its leading comment, and those
# that the kernels take from a vec_*.h without a definition there.
#
#     sh complete.sh SOURCE_ROOT PROGRAM
#
# PROGRAM --list prints the words that are checked.
set -eu
kernels=$1/lib/kernels
program=$2

words_in() { grep -ohE '\bvec[0-9]*(_[a-z0-9_]+)?\b' "$@" | sort -u; }

explained=$(sed '/\*\//q' "$kernels/isa/vec_scalar.h" | words_in -)
declared=$(grep -hE '^(static inline|typedef)' "$kernels"/isa/vec_*.h | words_in -)
used=$(find "$kernels" -name isa -prune -o -name '*.[ch]' -print |
    while read -r file; do words_in "$file" || true; done |
    sort -u | grep -xF "$declared")
checked=$("$program" --list | words_in -)

passed=0
failed=0
for word in $(printf '%s\n%s\n' "$explained" "$used" | sort -u); do
    if printf '%s\n' "$checked" | grep -qxF "$word"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $word has no check in words.def"
    fi
done
for word in $checked; do
    if ! printf '%s\n' "$declared" | grep -qxF "$word"; then
        failed=$((failed + 1))
        echo "FAILED: words.def checks $word, which no vec_*.h declares"
    fi
done
[ "$passed" -ge 40 ] || { failed=$((failed + 1)); echo "FAILED: only $passed words were found"; }
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
