# Runs one program of LuaJIT's with the modules of this binding.
#
#     sh test.sh FILE [ARGUMENT...]
set -eu
command -v luajit >/dev/null || { echo 'skipped: luajit is not installed'; exit 77; }
tests=$(dirname "$0")
LUA_PATH="$tests/../src/?.lua;$tests/?.lua"
export LUA_PATH
exec luajit "$@"
