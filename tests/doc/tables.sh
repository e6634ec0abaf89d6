# lib/kernels/math/tables.h is what lib/kernels/math/tables.py prints, figure by figure.
#
#     sh tables.sh SOURCE_ROOT FOLDER
#
# Needs a python3 that has mpmath: the one in PATH or the system's, for which Debian has python3-mpmath.
set -eu
source=$1 folder=$2
. "$source/tests/check.sh"

for python in python3 /usr/bin/python3 ''; do
    [ -n "$python" ] || { echo 'skipped: tables.h: python3 has no mpmath'; exit 77; }
    "$python" -c 'import mpmath' 2>/dev/null && break
done

same() {
    "$python" "$source/lib/kernels/math/tables.py" >"$folder/tables.h" &&
        diff "$source/lib/kernels/math/tables.h" "$folder/tables.h"
}

mkdir -p "$folder"
check 'lib/kernels/math/tables.h is what lib/kernels/math/tables.py prints' same
check_summary
