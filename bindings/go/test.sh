# Package libsugar for Go: vet, gofmt and the tests, with every check of cgo's that there is.
#
#     sh test.sh SOURCE_ROOT FOLDER BUILD_ROOT
#
# What Go keeps goes into FOLDER; nothing is fetched. The library is that of BUILD_ROOT, which SUGAR_LIBRARY names.
set -eu
source=$1 folder=$2 build=$3
command -v go >/dev/null || { echo 'skipped: go: there is no go'; exit 77; }
command -v pkg-config >/dev/null || { echo 'skipped: go: there is no pkg-config'; exit 77; }
mkdir -p "$folder"
. "$source/tests/check.sh"
cd "$source/bindings/go"

export GOCACHE="$folder/cache" GOPATH="$folder/path" GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=1
export PKG_CONFIG_PATH="$build/meson-uninstalled"
LD_LIBRARY_PATH=$(dirname "$SUGAR_LIBRARY")
export LD_LIBRARY_PATH

formatted() {
    unformatted=$(gofmt -l .)
    echo "$unformatted"
    [ -z "$unformatted" ]
}

# From Go 1.21 on the strict check of pointers is a setting of the build.
strict() {
    if go version | grep -qE 'go1\.(1[0-9]|20)\b'; then
        GODEBUG=cgocheck=2 "$@"
    else
        GOEXPERIMENT=cgocheck2 "$@"
    fi
}

# A program in a folder of its own, built by the README's commands; it finds the module beside it.
elsewhere() {
    module=$(go list -m)
    commands=$(sed -n '/^go mod edit/,/^```/p' README.md | grep -v '```')
    rm -rf "$folder/program"
    mkdir "$folder/program" && ln -sfn "$source" "$folder/libsugar" && (
        cd "$folder/program" &&
        printf 'package main\n\nimport "%s"\n\nfunc main() { println(libsugar.Version()) }\n' "$module" >main.go &&
        go mod init program && GOFLAGS='' sh -ec "$commands" && ./program
    )
}

check 'gofmt' formatted
check 'go vet' go vet ./...
check 'go test' strict go test -count=1 -v ./...
grep -E 'calls on tensors|^ok' "$folder/output" || true
check 'a program elsewhere' elsewhere
check_summary
