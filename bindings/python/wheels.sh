# Wheels for any Linux with glibc 2.17 (of 2012) or newer, on x86-64 and aarch64, made on any machine that has Python
# and the network: zig is the compiler, in the place of a container with an old system.
#
#     sh wheels.sh FOLDER [ARCHITECTURE...]
#
# FOLDER receives one wheel for each ARCHITECTURE, by default x86_64 and aarch64; it serves every Python 3. FOLDER/tools
# has what wheels.txt names, and is used again. SUGAR_PYTHON names the Python to build with.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$1"
folder=$(CDPATH='' cd -- "$1" && pwd)
shift
tools=$folder/tools

if ! cmp -s "$here/wheels.txt" "$tools/wheels.txt"; then
    rm -rf "$tools"
    "${SUGAR_PYTHON:-python3}" -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet -r "$here/wheels.txt"
    cp "$here/wheels.txt" "$tools"
fi
PATH=$tools/bin:$PATH
zig=$("$tools/bin/python" -c 'import ziglang; print(ziglang.__path__[0] + "/zig")')

[ $# -gt 0 ] || set -- x86_64 aarch64
for architecture; do
    work=$folder/$architecture
    rm -rf "$work"
    mkdir "$work"
    # zig makes undefined behaviour a trap unless it is told otherwise.
    cat >"$work/machine.ini" <<END
[binaries]
c = ['sh', '$here/zig.sh', '$zig', '$architecture-linux-gnu.2.17']
ar = ['$zig', 'ar']

[built-in options]
c_args = ['-g0', '-fno-sanitize=undefined']
c_link_args = ['-s']

[host_machine]
system = 'linux'
cpu_family = '$architecture'
cpu = '$architecture'
endian = 'little'
END
    _PYTHON_HOST_PLATFORM=linux-$architecture "$tools/bin/python" -m pip wheel --no-deps --no-build-isolation \
        --wheel-dir "$work" --config-settings "setup-args=--cross-file=$work/machine.ini" "$here"
    # It looks at what the libraries need of a system, and gives the wheel the tag of the oldest that has it.
    auditwheel repair --plat auto --only-plat --wheel-dir "$work/tagged" "$work"/*.whl
    mv "$work"/tagged/*manylinux_2_17_"$architecture".whl "$folder"
done
