# Checks of a suite that is a script; to be sourced by a POSIX shell that has set `folder` to one for files.
#
#     check NAME COMMAND...    the command succeeds; its output is shown if not
#     check_summary            prints how many checks passed and failed; fails if any did

passed=0
failed=0

check() {
    name=$1
    shift
    # shellcheck disable=SC2154 # whoever sources this has set it
    if "$@" >"$folder/output" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s: %s\n' "$name" "$*"
        cat "$folder/output"
    fi
}

check_summary() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
}
