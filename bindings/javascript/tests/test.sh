# Runs one program of Node's with the addon.
#
#     sh test.sh ADDON FILE       ADDON: as it was built, or empty
set -eu
addon=$1 file=$2
node=$(command -v node || command -v nodejs) || { echo 'skipped: node is not installed'; exit 77; }
[ -n "$addon" ] || { echo 'skipped: node_api.h of Node is not installed'; exit 77; }
"$node" -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' ||
    { echo "skipped: node is $("$node" --version), expected 18 or newer"; exit 77; }
SUGAR_ADDON=$addon
export SUGAR_ADDON
case $file in
*.test.js) exec "$node" --expose-gc "$file" ;;
*) exec "$node" "$file" ;;
esac
