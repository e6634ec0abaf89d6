# The addon, for node-gyp: links against the installed libsugar.
{
    "targets": [{
        "target_name": "sugar",
        "sources": ["src/functions.c", "src/marshal.c"],
        "cflags": ["-std=c11", "<!@(pkg-config --cflags libsugar)"],
        "libraries": ["<!@(pkg-config --libs libsugar)"]
    }]
}
