-- What a call costs beyond the work: the time of calls on one element, in nanoseconds; the least of 7 rounds.
--
--     SUGAR_LIBRARY=... sh tests/test.sh tests/overhead.lua

local ffi = require "ffi"
local c = require "libsugar.ffi"
local sugar = require "libsugar"

ffi.cdef "typedef struct { long seconds, nanoseconds; } overhead_time; int clock_gettime(int, overhead_time *);"

local now = ffi.new "overhead_time"
local function seconds()
    ffi.C.clock_gettime(1, now)
    return tonumber(now.seconds) + tonumber(now.nanoseconds) * 1e-9
end

local function least(count, call)
    local best = math.huge
    for _ = 1, 7 do
        local started = seconds()
        for _ = 1, count do
            call()
        end
        best = math.min(best, (seconds() - started) / count)
    end
    return best * 1e9
end

local relu = sugar.Activation "relu"
local x, y = ffi.new("float[?]", 1), ffi.new("float[?]", 1)
local fixed = ffi.new "float[1]"
local tx, ty = sugar.tensor(x), sugar.tensor(y)
local options = sugar.options { nontemporal = false }

local function show(name, count, call)
    print(("%-52s %7.0f ns"):format(name, least(count, call)))
end

show("C.sugar_forward_f32", 1e6, function() c.C.sugar_forward_f32(relu.handle, 1, x, 1, y, 1, nil) end)
show("C.sugar_forward", 1e6, function() c.C.sugar_forward(relu.handle, tx.view, ty.view, nil) end)
show("forward, tensors", 1e6, function() relu:forward(tx, ty) end)
show("backward, tensors", 1e6, function() relu:backward(tx, ty, ty) end)
show("forward, tensors, options made before", 1e6, function() relu:forward(tx, ty, options) end)
show("forward, tensors, options as a table", 1e5, function() relu:forward(tx, ty, { nontemporal = false }) end)
show("forward, float[?]", 1e6, function() relu:forward(x, y) end)
show("forward, float[1]: tensors made in the call", 1e5, function() relu:forward(fixed, fixed) end)
