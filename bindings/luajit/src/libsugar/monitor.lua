-- Monitors: what the units of a layer have seen.

local ffi = require "ffi"
local c = require "libsugar.ffi"
local errors = require "libsugar.error"
local Options = require "libsugar.options"
local Tensor = require "libsugar.tensor"

local C, check = c.C, errors.check
local Monitor = require "libsugar.handle" (C.sugar_monitor_destroy)
local KNOWN = { axis_from_end = true, bins = true, threshold = true, minimum = true, maximum = true, every = true }

Options.Monitor = Monitor

-- A struct of the library with its struct_size.
local function sized(name)
    return ffi.new(name, { struct_size = ffi.sizeof(name) })
end

-- The members of a struct as a table; counts are exact up to 2^53.
local function members(struct, names)
    local values = {}
    for name in names:gmatch "%S+" do
        values[name] = tonumber(struct[name])
    end
    return values
end

-- A monitor of `units`. Options: axis_from_end (0, the default, is the last dimension), threshold; bins, minimum and
-- maximum of the histogram; every: one call in so many is observed, beginning with the first.
function Monitor.new(units, options)
    options = options or {}
    errors.check_keys("monitor", options, KNOWN)
    local choice = sized "sugar_monitor_options"
    choice.axis_from_end = errors.check_integer("axis_from_end", options.axis_from_end or 0, -2 ^ 31, 2 ^ 31 - 1)
    choice.bins = errors.check_integer("bins", options.bins or 0, -2 ^ 31, 2 ^ 31 - 1)
    choice.threshold = options.threshold or 0
    choice.minimum, choice.maximum = options.minimum or 0, options.maximum or 0
    choice.every = errors.check_integer("every", options.every or 0, -2 ^ 53, 2 ^ 53)
    local out = ffi.new "sugar_monitor *[1]"
    check(C.sugar_monitor_create(out, errors.check_integer("units", units, -2 ^ 53, 2 ^ 53), choice))
    return Monitor.own(out)
end

-- A monitor from the string that save() gave.
function Monitor.restore(saved)
    local out = ffi.new "sugar_monitor *[1]"
    check(C.sugar_monitor_restore(out, saved, #saved))
    return Monitor.own(out)
end

-- Counts the elements of x. Options: context.
function Monitor:observe(x, options)
    x = Tensor.of("x", x)
    options = Options.of(options)
    check(C.sugar_monitor_observe(self.handle, x.view, options and options:pointer()))
end

-- Forgets all.
function Monitor:reset()
    check(C.sugar_monitor_reset(self.handle))
end

-- Adds what another monitor counted.
function Monitor:merge(other)
    check(C.sugar_monitor_merge(self.handle, getmetatable(other) == Monitor and other.handle or nil))
end

-- All units: units, samples, active, not_finite, dead, sparsity, mean, deviation, axis_from_end, bins, every,
-- calls, observed.
function Monitor:summary()
    local summary = sized "sugar_monitor_summary"
    check(C.sugar_monitor_get(self.handle, summary))
    return members(summary, "units samples active not_finite dead sparsity mean deviation axis_from_end bins every "
                            .. "calls observed")
end

-- One unit, counted from 0: samples, active, not_finite, sum, sum_of_squares, mean, deviation.
function Monitor:unit(index)
    local unit = sized "sugar_monitor_unit"
    check(C.sugar_monitor_get_unit(self.handle, errors.check_integer("index", index, -2 ^ 53, 2 ^ 53), unit))
    return members(unit, "samples active not_finite sum sum_of_squares mean deviation")
end

-- The units, counted from 0, of whose samples at most the share `rate` (default 0) was active: a list.
function Monitor:dead(rate)
    local count = ffi.new "int64_t[1]"
    check(C.sugar_monitor_find_dead(self.handle, rate or 0, nil, 0, count))
    local found = tonumber(count[0])
    local indices, list = ffi.new("int64_t[?]", math.max(found, 1)), {}
    check(C.sugar_monitor_find_dead(self.handle, rate or 0, indices, found, count))
    for i = 1, found do
        list[i] = tonumber(indices[i - 1])
    end
    return list
end

-- Two lists: how many samples lie in each bin, and the bounds between the bins.
function Monitor:histogram()
    local bins = self:summary().bins
    local counts, edges = ffi.new("int64_t[?]", bins), ffi.new("double[?]", bins - 1)
    check(C.sugar_monitor_get_histogram(self.handle, counts, edges, bins))
    local count_list, edge_list = {}, {}
    for i = 1, bins do
        count_list[i], edge_list[i] = tonumber(counts[i - 1]), i < bins and edges[i - 1] or nil
    end
    return count_list, edge_list
end

-- All that the monitor holds, as a string for restore().
function Monitor:save()
    local size = tonumber(C.sugar_monitor_save_size(self.handle))
    local buffer = ffi.new("uint8_t[?]", math.max(size, 1))
    check(C.sugar_monitor_save(self.handle, buffer, size))
    return ffi.string(buffer, size)
end

return Monitor
