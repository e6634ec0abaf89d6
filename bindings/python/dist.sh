# What the source package must carry itself: the library, which a checkout has above this folder.
#
#     sh dist.sh      with MESON_SOURCE_ROOT and MESON_DIST_ROOT, from `meson dist`
set -eu
cd "$MESON_SOURCE_ROOT"
for file in src/libsugar/vectors.json subprojects/sugar/*; do
    rm -rf "${MESON_DIST_ROOT:?}/$file"
    cp -RL "$file" "$MESON_DIST_ROOT/$file"
done
