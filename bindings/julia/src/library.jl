# Finds and loads the shared library: SUGAR_LIBRARY, then lib/ of this package, then the system's.

"The file name of the library, with the number of its ABI."
soname() = Sys.isapple() ? "libsugar.$(LowLevel.ABI_VERSION).dylib" : "libsugar.so.$(LowLevel.ABI_VERSION)"

function library_path()
    named = get(ENV, "SUGAR_LIBRARY", "")
    isempty(named) || return named
    inside = joinpath(dirname(@__DIR__), "lib", soname())
    return isfile(inside) ? inside : soname()
end

function load_library()
    path = library_path()
    try
        LowLevel.connect(dlopen(path))
    catch failure
        error("libsugar: '$path' cannot be used ($(sprint(showerror, failure))); expected SUGAR_LIBRARY to be ",
              "the path of $(soname()), or libsugar $(LowLevel.VERSION) or newer to be installed")
    end
end
