-- The layout of every struct, every exported function, and the shared vectors, bit for bit: through the low-level
-- layer all of them, and through the layer above those that its tensors can express.
--
--     luajit vectors.lua BINDINGS       the folder with api.json and vectors/

local ffi = require "ffi"
local check = require "check"
local json = require "json"
local c = require "libsugar.ffi"
local sugar = require "libsugar"

local C, null = c.C, json.null
local BINDINGS = assert(arg[1], "expected the folder with api.json")
local WIDTHS = { f32 = 4, f64 = 8, f16 = 2, bf16 = 2, u8 = 1 }
local INFINITIES = { f32 = "7f800000", f64 = "7ff0000000000000", f16 = "7c00", bf16 = "7f80" }

local function some(value)
    return value ~= nil and value ~= null
end

-- ---- Bits

-- The bytes of a double, as in the vectors.
local function bits(value)
    if value ~= value then
        return "7ff8000000000000"
    end
    local double = ffi.new("union { double d; uint32_t w[2]; }", value)
    local low, high = 0, 1
    if ffi.abi "be" then
        low, high = 1, 0
    end
    return bit.tohex(double.w[high]) .. bit.tohex(double.w[low])
end

local function uint64(digits)
    return ffi.cast("uint64_t", tonumber(digits:sub(1, 8), 16)) * 2 ^ 32 + tonumber(digits:sub(9), 16)
end

local function double(digits)
    local union = ffi.new "union { double d; uint64_t w; }"
    union.w = uint64(digits)
    return union.d
end

-- The element's bytes are the other way round on little-endian machines.
local function swap(bytes, width)
    return ffi.abi "be" and bytes or (bytes:gsub(("."):rep(width), string.reverse))
end

local function from_hex(digits, width)
    return swap(digits:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end), width)
end

local function to_hex(bytes, width)
    return (swap(bytes, width):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function is_nan(type, digits)
    local first = tonumber(digits:sub(1, 1), 16) % 8
    return INFINITIES[type] ~= nil and first .. digits:sub(2) > INFINITIES[type]
end

-- The same bits, or two NaNs.
local function same(type, found, expected)
    return found == expected or is_nan(type, found) and is_nan(type, expected)
end

-- ---- Memories

local function memory(block)
    local width = WIDTHS[block.type]
    local bytes = from_hex(block.before, width)
    local array = ffi.new("double[?]", #bytes / 8 + 1)
    ffi.copy(array, bytes, #bytes)
    return { block = block, width = width, size = #bytes, array = array, address = ffi.cast("char *", array) }
end

local function compare_memory(index, made)
    local block, digits = made.block, 2 * made.width
    local expected = some(block.after) and block.after or block.before
    local found = to_hex(ffi.string(made.address, made.size), made.width)
    check.equal(#found, #expected)
    for at = 1, #found, digits do
        local a, b = found:sub(at, at + digits - 1), expected:sub(at, at + digits - 1)
        if not same(block.type, a, b) then
            error(("memory %d[%d]: %s, expected %s"):format(index, (at - 1) / digits, a, b), 0)
        end
    end
end

-- ---- A case through the low-level layer. Whatever it makes is kept in `kept` until it is over.

local function address(operand, memories)
    if not some(operand.memory) then
        return nil
    end
    return memories[operand.memory + 1].address + operand.data
end

local function extents(list, kept)
    if not some(list) then
        return nil
    end
    local array = ffi.new("int64_t[?]", math.max(#list, 1), list)
    kept[#kept + 1] = array
    return array
end

local function tensor(operand, memories, kept)
    if not some(operand) then
        return nil
    end
    local view = ffi.new("sugar_tensor", address(operand, memories), { operand.device, 0 }, #operand.shape,
                         operand.dtype, extents(operand.shape, kept), extents(operand.strides, kept),
                         operand.byte_offset)
    kept[#kept + 1] = view
    return view
end

local function make_monitor(made)
    local options = ffi.new("sugar_monitor_options", ffi.sizeof "sugar_monitor_options", made.axis_from_end,
                            made.bins, double(made.threshold), double(made.minimum), double(made.maximum),
                            made.every)
    local out = ffi.new "sugar_monitor *[1]"
    check.equal(C.sugar_monitor_create(out, made.units, options), c.SUGAR_OK)
    return out[0]
end

local function make_activation(case)
    local out = ffi.new "sugar_activation *[1]"
    if not some(case.spec) then
        return c.SUGAR_OK, nil
    end
    local numbers, count = nil, 0
    if some(case.table) then
        numbers, count = ffi.new("double[?]", #case.table), #case.table / 3
        for i, digits in ipairs(case.table) do
            numbers[i - 1] = double(digits)
        end
    end
    local options = ffi.new("sugar_activation_options", ffi.sizeof "sugar_activation_options",
                            some(case.level) and case.level or nil, numbers, count)
    return C.sugar_activation_create_with_options(out, case.spec, #case.spec, options), out[0]
end

local OPTIONS = { "parameter", "parameter_gradient", "saved_gradient", "bias", "bias_gradient", "gate",
                  "gate_gradient" }

-- Calls on vectors end with the type.
local function takes_vectors(case)
    return case.call:sub(-#case.type - 1) == "_" .. case.type
end

local function call_options(case, memories, monitor, kept)
    local options = ffi.new("sugar_call_options", ffi.sizeof "sugar_call_options", case.flags)
    for _, role in ipairs(OPTIONS) do
        options[role] = tensor(case[role], memories, kept)
    end
    if some(case.random) then
        kept.random = ffi.new("sugar_random", ffi.sizeof "sugar_random", uint64(case.random[1]), uint64(case.random[2]))
        options.random = kept.random
    end
    options.monitor = case.call ~= "observe" and monitor or nil
    return options
end

local function call(case, activation, monitor, memories, kept)
    local options = call_options(case, memories, monitor, kept)
    local roles = case.call:find "^forward" and { "x", "y" } or
        case.call == "backward_twice" and { "x", "dy", "v", "ddy", "dx" } or { "x", "dy", "dx" }
    local arguments, count = {}, 0
    for _, role in ipairs(roles) do
        local operand = case[role]
        if takes_vectors(case) then
            local element = case.type == "f32" and "float *" or case.type == "f64" and "double *" or "uint16_t *"
            arguments[count + 1] = some(operand) and ffi.cast(element, address(operand, memories)) or nil
            arguments[count + 2] = some(operand) and operand.step or 0
            count = count + 2
        else
            arguments[count + 1], count = tensor(operand, memories, kept), count + 1
        end
    end
    arguments[count + 1] = options
    if case.call == "observe" then
        return C.sugar_monitor_observe(monitor, tensor(case.x, memories, kept), options)
    elseif takes_vectors(case) then
        return C["sugar_" .. case.call](activation, case.n, unpack(arguments, 1, count + 1))
    end
    return C["sugar_" .. case.call](activation, unpack(arguments, 1, count + 1))
end

local function members(struct, names)
    local list = {}
    for name in names:gmatch "%S+" do
        local value = struct[name]
        list[#list + 1] = type(value) == "number" and bits(value) or tostring(tonumber(value))
    end
    return table.concat(list, " ")
end

local function joined(list)
    local texts = {}
    for i, value in ipairs(list) do
        texts[i] = tostring(value)
    end
    return table.concat(texts, " ")
end

local function compare_monitor(monitor, seen)
    local summary = ffi.new("sugar_monitor_summary", ffi.sizeof "sugar_monitor_summary")
    check.equal(C.sugar_monitor_get(monitor, summary), c.SUGAR_OK)
    check.equal(members(summary, "units samples active not_finite dead sparsity mean deviation")
                .. (" %d %d "):format(summary.axis_from_end, summary.bins) .. members(summary, "every calls observed"),
                joined(seen.summary))
    for index, expected in ipairs(seen.units) do
        local unit = ffi.new("sugar_monitor_unit", ffi.sizeof "sugar_monitor_unit")
        check.equal(C.sugar_monitor_get_unit(monitor, index - 1, unit), c.SUGAR_OK)
        check.equal(members(unit, "samples active not_finite sum sum_of_squares mean deviation"), joined(expected))
    end
    check.equal(#seen.units, tonumber(summary.units))
    local counts, edges = ffi.new("int64_t[?]", c.SUGAR_MONITOR_BINS), ffi.new("double[?]", c.SUGAR_MONITOR_BINS - 1)
    check.equal(C.sugar_monitor_get_histogram(monitor, counts, edges, c.SUGAR_MONITOR_BINS), c.SUGAR_OK)
    check.equal(#seen.counts, c.SUGAR_MONITOR_BINS)
    for i, expected in ipairs(seen.counts) do
        check.equal(tonumber(counts[i - 1]), expected)
    end
    for i, expected in ipairs(seen.edges) do
        check.equal(bits(edges[i - 1]), expected)
    end
    local dead, count = ffi.new "int64_t[64]", ffi.new "int64_t[1]"
    check.equal(C.sugar_monitor_find_dead(monitor, 0.25, dead, 64, count), c.SUGAR_OK)
    check.equal(tonumber(count[0]), #seen.dead)
    for i, expected in ipairs(seen.dead) do
        check.equal(tonumber(dead[i - 1]), expected)
    end
end

local function compare_created(activation, created)
    local info = ffi.new("sugar_activation_info", ffi.sizeof "sugar_activation_info")
    check.equal(C.sugar_activation_get_info(activation, info), c.SUGAR_OK)
    check.equal(ffi.string(info.spec), created.spec)
    check.equal(bits(info.gradient_minimum), created.minimum)
    check.equal(bits(info.gradient_maximum), created.maximum)
end

local function memories_of(case)
    local memories = {}
    for i, block in ipairs(case.memories) do
        memories[i] = memory(block)
    end
    return memories
end

local function low_level(case)
    local memories, kept = memories_of(case), {}
    local monitor = some(case.monitor) and make_monitor(case.monitor) or nil
    local status, activation = make_activation(case)
    if status == c.SUGAR_OK and case.call ~= "create" then
        status = call(case, activation, monitor, memories, kept)
    end
    check.equal(status, case.status, "status")
    check.equal(status ~= c.SUGAR_OK and ffi.string(C.sugar_last_error()) or "", case.message, "message")
    for i, made in ipairs(memories) do
        compare_memory(i - 1, made)
    end
    if some(case.created) then
        compare_created(activation, case.created)
    end
    if monitor then
        compare_monitor(monitor, case.monitor.seen)
    end
    C.sugar_activation_destroy(activation)
    C.sugar_monitor_destroy(monitor)
end

-- ---- A case through the layer above

local DTYPES = { ["2 32 1"] = "f32", ["2 64 1"] = "f64", ["2 16 1"] = "f16", ["4 16 1"] = "bf16", ["1 8 1"] = "u8",
                 ["1 1 1"] = "bit" }
local ELEMENTS = { f32 = "float *", f64 = "double *", f16 = "uint16_t *", bf16 = "uint16_t *", u8 = "uint8_t *",
                   bit = "uint8_t *" }

-- The tensor of an operand. One that the layer refuses itself is thrown.
local function high_tensor(operand, memories)
    if not some(operand) then
        return nil
    end
    local dtype = DTYPES[joined(operand.dtype)]
    local made = some(operand.memory) and memories[operand.memory + 1]
    local strides = some(operand.strides) and operand.strides or nil
    local size = dtype and ffi.sizeof(ffi.typeof(ELEMENTS[dtype]:sub(1, -3)))
    local start = operand.data + operand.byte_offset
    if dtype and operand.shape[1] == 0 then         -- anywhere
        return sugar.tensor(ffi.cast(ELEMENTS[dtype], made and ffi.cast("char *", made.array) + start or nil), {
            dtype = dtype, length = 0, shape = operand.shape, strides = strides })
    end
    if not dtype or not made or operand.device ~= 1 or start % size ~= 0 then
        error("not expressible", 0)
    end
    return sugar.tensor(ffi.cast(ELEMENTS[dtype], made.array), {
        dtype = dtype, length = math.floor(made.size / size), offset = start / size, shape = operand.shape,
        strides = strides })
end

local function high_options(case, memories, monitor)
    local function flag(value)
        return bit.band(case.flags, value) ~= 0 or nil
    end
    local stores = flag(c.SUGAR_CALL_NONTEMPORAL)
    if case.flags > 15 or stores and flag(c.SUGAR_CALL_TEMPORAL) then
        error("not expressible", 0)
    end
    if flag(c.SUGAR_CALL_TEMPORAL) then
        stores = false
    end
    local options = {
        accumulate = flag(c.SUGAR_CALL_ACCUMULATE), from_output = flag(c.SUGAR_CALL_FROM_OUTPUT), nontemporal = stores,
        monitor = case.call ~= "observe" and monitor or nil,
        random = some(case.random) and { seed = uint64(case.random[1]), offset = uint64(case.random[2]) } or nil,
    }
    for _, role in ipairs(OPTIONS) do
        options[role] = high_tensor(case[role], memories)
    end
    return options
end

local function high_knots(numbers)
    local rows = some(numbers) and {} or nil
    for i = 1, rows and #numbers or 0, 3 do
        rows[#rows + 1] = { double(numbers[i]), double(numbers[i + 1]), double(numbers[i + 2]) }
    end
    return rows
end

local function compare_high_monitor(monitor, seen)
    local summary = monitor:summary()
    for i, name in ipairs { "units", "samples", "active", "not_finite", "dead" } do
        check.equal(summary[name], seen.summary[i], name)
    end
    for i, name in ipairs { "sparsity", "mean", "deviation" } do
        check.equal(bits(summary[name]), seen.summary[5 + i], name)
    end
    check.equal(summary.axis_from_end, seen.summary[9])
    check.equal(summary.bins, seen.summary[10])
    for i, name in ipairs { "every", "calls", "observed" } do
        check.equal(summary[name], seen.summary[10 + i], name)
    end
    for index, expected in ipairs(seen.units) do
        local unit = monitor:unit(index - 1)
        check.equal(unit.samples, expected[1])
        check.equal(bits(unit.deviation), expected[7])
    end
    local counts, edges = monitor:histogram()
    check.equal(joined(counts), joined(seen.counts))
    for i, edge in ipairs(edges) do
        check.equal(bits(edge), seen.edges[i])
    end
    check.equal(joined(monitor:dead(0.25)), joined(seen.dead))
end

-- Whether the layer could express it.
local function high_level(case)
    if takes_vectors(case) or not some(case.spec) then
        return false
    end
    local memories = memories_of(case)
    local monitor = some(case.monitor) and sugar.Monitor(case.monitor.units, {
        axis_from_end = case.monitor.axis_from_end, bins = case.monitor.bins,
        threshold = double(case.monitor.threshold), minimum = double(case.monitor.minimum),
        maximum = double(case.monitor.maximum), every = case.monitor.every }) or nil
    local succeeded, result = pcall(function()
        local activation = sugar.Activation(case.spec, {
            level = some(case.level) and case.level or nil, table = high_knots(case.table) })
        if case.call == "create" then
            check.equal(activation.spec, case.created.spec)
            return
        end
        local x, options = high_tensor(case.x, memories), high_options(case, memories, monitor)
        if case.call == "observe" then
            monitor:observe(x, options)
        elseif case.call == "forward" then
            activation:forward(x, high_tensor(case.y, memories), options)
        elseif case.call == "backward_twice" then
            activation:backward_twice(x, high_tensor(case.dy, memories), high_tensor(case.v, memories), {
                ddy = high_tensor(case.ddy, memories), dx = high_tensor(case.dx, memories) }, options)
        else
            activation:backward(x, high_tensor(case.dy, memories), high_tensor(case.dx, memories), options)
        end
    end)
    if not succeeded and (type(result) ~= "table" or result.message ~= case.message) then
        if case.status == c.SUGAR_OK then
            error(result, 0)
        end
        return false
    end
    check.equal(succeeded and c.SUGAR_OK or result.status, case.status)
    for i, made in ipairs(memories) do
        compare_memory(i - 1, made)
    end
    if monitor then
        compare_high_monitor(monitor, case.monitor.seen)
    end
    return true
end

-- ---- The tests

local api = json.read_file(BINDINGS .. "/api.json")
local vectors = json.read_file(BINDINGS .. "/vectors/vectors.json")

check.case("every function is there", function()
    for _, item in ipairs(api.functions) do
        check.equal(type(C[item.name]), "cdata", item.name)
    end
    check.equal(#api.functions > 0, true)
end)

check.case("constants", function()
    for _, constant in ipairs(api.constants) do
        check.equal(c[constant.name], constant.value, constant.name)
    end
end)

check.case("layout of structs", function()
    if not ffi.abi "64bit" then
        return print "skipped: api.json has the layout of 64-bit machines"
    end
    for _, struct in ipairs(api.structs) do
        check.equal(ffi.sizeof(struct.name), struct.size, struct.name)
        for _, field in ipairs(struct.fields) do
            check.equal(ffi.offsetof(struct.name, field.name), field.offset, field.name)
        end
    end
end)

local expressed = 0
for _, case in ipairs(vectors.cases) do
    check.case(case.name, function() low_level(case) end)
    check.case(case.name .. " (layer above)", function()
        expressed = expressed + (high_level(case) and 1 or 0)
    end)
end

check.case("the number of cases", function()
    check.equal(#vectors.cases, vectors.count)
end)
print(("%d cases, %d of them through the layer above too"):format(#vectors.cases, expressed))
check.finish()
