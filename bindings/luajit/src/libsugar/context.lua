-- Contexts: how calls use threads.

local ffi = require "ffi"
local c = require "libsugar.ffi"
local errors = require "libsugar.error"

local Context = require "libsugar.handle" (c.C.sugar_context_destroy)
local KNOWN = { threads = true, parallel_for = true, payload = true }

-- A pool of threads: Context.new(4), or Context.new{ threads = 4 }; without a number, or with 0, as many as the process
-- may use. How many there are is in `threads`. With `parallel_for`, a C function of that type
-- (sugar_parallel_for in libsugar.ffi) as cdata, and its `payload`, the caller's own threads. A function in Lua cannot
-- be one.
function Context.new(options)
    options = type(options) == "number" and { threads = options } or options or {}
    errors.check_keys("context", options, KNOWN)
    local parallel_for = options.parallel_for
    if parallel_for ~= nil and not ffi.istype("sugar_parallel_for", parallel_for) then
        errors.argument("parallel_for: %s, expected cdata of type sugar_parallel_for", type(parallel_for))
    end
    local choice = ffi.new("sugar_context_options", {
        struct_size = ffi.sizeof "sugar_context_options",
        threads = errors.check_integer("threads", options.threads or 0, -2 ^ 31, 2 ^ 31 - 1),
        parallel_for = parallel_for, payload = options.payload,
    })
    local out = ffi.new "sugar_context *[1]"
    errors.check(c.C.sugar_context_create(out, choice))
    return Context.own(out, { threads = c.C.sugar_context_threads(out[0]),
                              parallel_for = parallel_for, payload = options.payload })
end

return Context
