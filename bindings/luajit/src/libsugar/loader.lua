-- Finds and loads the shared library: SUGAR_LIBRARY, then the system's. Answers a function of the ABI's number.

local ffi = require "ffi"

return function(abi_version)
    local soname = "libsugar.so." .. abi_version
    local path = os.getenv "SUGAR_LIBRARY"
    if not path or path == "" then
        path = soname
    end
    local loaded, library = pcall(ffi.load, path)
    if not loaded then
        error(("libsugar: '%s' cannot be loaded (%s); expected SUGAR_LIBRARY to be the path of %s, or libsugar " ..
               "to be installed"):format(path, library, soname), 0)
    end
    return library
end
