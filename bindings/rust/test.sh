# Rust's tests.
#
#     sh test.sh FOLDER
#
# FOLDER gets what cargo builds; SUGAR_LIBRARY names the library.
set -eu
cd "$(dirname "$0")"
PATH=$PATH:${HOME:-}/.cargo/bin
cargo --version 2>/dev/null || { echo 'skipped: there is no cargo'; exit 77; }
export CARGO_TARGET_DIR="$1"
# cargo 1.65 does not say to tests in the documentation where libraries are.
LD_LIBRARY_PATH=$(dirname "$SUGAR_LIBRARY")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
# Of another version of cargo, perhaps; there is nothing in it, for want of dependencies.
rm -f Cargo.lock
export RUSTFLAGS="-D warnings" RUSTDOCFLAGS="-D warnings"
cargo test --offline -- --nocapture
cargo run --offline -q --example example
cargo doc --offline --no-deps
if cargo clippy --version >/dev/null 2>&1; then
    cargo clippy --offline --all-targets -- -D warnings
else
    echo 'without clippy, which is not there'
fi
if cargo fmt --version >/dev/null 2>&1; then
    cargo fmt -p libsugar-activations --check       # the other crate is generated
else
    echo 'without rustfmt, which is not there'
fi
