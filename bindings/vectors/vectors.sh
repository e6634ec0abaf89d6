# vectors.json is what the program vectors writes.
#
#     sh vectors.sh PROGRAM VECTORS_JSON FOLDER
set -eu
program=$1 committed=$2 folder=$3
mkdir -p "$folder"
"$program" >"$folder/vectors.json"
if ! cmp "$committed" "$folder/vectors.json"; then
    diff "$committed" "$folder/vectors.json" | cut -c 1-300 | head -n 20
    echo 'FAILED: vectors.json is not what the library computes now; meson compile -C build regenerate writes it anew'
    exit 1
fi
