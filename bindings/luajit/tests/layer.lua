-- The layer by hand: tensors, options, errors, freeing, no copies, the manifest.
--
--     luajit layer.lua FOLDER       the folder of this binding

local ffi = require "ffi"
local check = require "check"
local c = require "libsugar.ffi"
local sugar = require "libsugar"

local FOLDER = assert(arg[1], "expected the folder of the binding")
local ARGUMENT, SPEC, UNSUPPORTED = c.SUGAR_ERROR_ARGUMENT, c.SUGAR_ERROR_SPEC, c.SUGAR_ERROR_UNSUPPORTED
local case, equal, fails = check.case, check.equal, check.fails

local function filled(values, element)
    return ffi.new((element or "float") .. "[?]", #values, values)
end

local function list(array, count)
    local values = {}
    for i = 1, count or #array do
        values[i] = tonumber(array[i - 1])
    end
    return table.concat(values, " ")
end

local relu = sugar.Activation "relu"

-- ---- Calls

case("arrays of both types, and results that are made", function()
    equal(list(relu:forward(filled { -1, 2, -3, 4 }).data, 4), "0 2 0 4")
    equal(list(relu:forward(filled({ -1, 2 }, "double")).data, 2), "0 2")
    equal(list(relu:backward(filled { -1, 2 }, filled { 5, 7 }).data, 2), "0 7")
    local x, dy = filled({ -1, 2, 3 }, "double"), filled({ 4, 5, 6 }, "double")
    equal(relu:backward(x, dy, dy), dy)
    equal(list(dy, 3), "0 5 6")
    equal(relu:forward(x, x), x)
    equal(list(x, 3), "0 2 3")
    local fixed = ffi.new("float[3]", -1, 0, 1)
    equal(relu:forward(fixed, fixed), fixed)
    equal(list(fixed, 3), "0 0 1")
end)

case("nothing is copied: views write where they lead, and nowhere else", function()
    local array = filled { -1, 1, -2, 2, -3, 3, -4, 4 }
    local view = sugar.tensor(array, { shape = { 2, 2 }, strides = { 4, -1 }, offset = 1 })
    equal(relu:forward(view, view), view)       -- elements 1, 0, 5, 4
    equal(list(array, 8), "0 1 -2 2 0 3 -4 4")
    local y = sugar.tensor(ffi.cast("float *", array) + 2, { shape = { 2 }, length = 2 })
    relu:forward(y, y)
    equal(list(array, 8), "0 1 0 2 0 3 -4 4")
end)

case("half precision", function()
    local f16 = sugar.tensor(filled({ 0xBC00, 0x4000 }, "uint16_t"), { dtype = "f16" })
    equal(list(relu:forward(f16).data, 2), "0 " .. 0x4000)
    local bf16 = sugar.tensor(filled({ 0xBF80, 0x4000 }, "uint16_t"), { dtype = "bf16" })
    equal(list(relu:forward(bf16).data, 2), "0 " .. 0x4000)
end)

case("no dimension, and no element", function()
    local one = filled { -3 }
    equal(list(relu:forward(sugar.tensor(one, { shape = {} })).data, 1), "0")
    relu:forward(sugar.zeros("f32", { 0, 3 }))
    relu:forward(sugar.tensor(ffi.cast("float *", nil), { length = 0 }))
end)

case("from the compiler too: 200,000 calls in a loop", function()
    local x, y = sugar.tensor(filled { -1, 2 }), sugar.zeros("f32", 2)
    local options = sugar.options { nontemporal = false }
    for i = 1, 200000 do
        x.data[1] = i
        relu:forward(x, y, options)
        if y.data[1] ~= i then
            error("wrong in call " .. i)
        end
    end
end)

case("operands that only the call knows survive the collector", function()
    local pause = collectgarbage("setpause", 100)     -- always at work; less than 100 can stall compiled loops
    local succeeded, e = pcall(function()
        for _ = 1, 20000 do
            local y = relu:forward(sugar.tensor(filled { -1, 2, -3, 4 }, { shape = { 2, 2 }, strides = { 1, 2 } }),
                                   nil, { nontemporal = false })
            equal(list(y.data, 4), "0 0 2 4")
        end
    end)
    collectgarbage("setpause", pause)
    if not succeeded then
        error(e, 0)
    end
end)

-- ---- Options

case("accumulate", function()
    local dx = filled { 10, 10 }
    relu:backward(filled { -1, 2 }, filled { 5, 7 }, dx, { accumulate = true })
    equal(list(dx, 2), "10 17")
end)

case("from the output", function()
    equal(list(relu:backward(filled { 0, 2 }, filled { 5, 7 }, nil, { from_output = true }).data, 2), "0 7")
end)

case("nontemporal", function()
    for _, nontemporal in ipairs { true, false } do
        equal(list(relu:forward(filled { -1, 2 }, nil, { nontemporal = nontemporal }).data, 2), "0 2")
    end
end)

case("context: threads give the same", function()
    local context = sugar.Context(3)
    local n = 300000
    local x, one, many = sugar.zeros("f32", n), sugar.zeros("f32", n), sugar.zeros("f32", n)
    for i = 0, n - 1 do
        x.data[i] = math.sin(i)
    end
    local gelu = sugar.Activation "gelu"
    gelu:forward(x, one)
    gelu:forward(x, many, { context = context })
    equal(ffi.string(one.data, 4 * n) == ffi.string(many.data, 4 * n), true)
    equal(context.threads, 3)
    local all = sugar.Context()
    equal(all.threads >= 1, true)
    for _, zero in ipairs { 0, {}, { threads = 0 } } do
        local same = sugar.Context(zero)
        equal(same.threads, all.threads)
        same:destroy()
    end
    equal(c.C.sugar_context_threads(nil), 1)
    gelu:forward(x, many, { context = all })
    equal(ffi.string(one.data, 4 * n) == ffi.string(many.data, 4 * n), true)
    all:destroy()
    context:destroy()
    fails(ARGUMENT, "context: destroyed", relu.forward, relu, x, one, { context = context })
end)

case("parameter and its gradient", function()
    local prelu = sugar.Activation "prelu"
    local x = sugar.tensor(filled { -1, 2, -3, 4 }, { shape = { 2, 2 } })
    local dy = sugar.tensor(filled { 1, 1, 1, 1 }, { shape = { 2, 2 } })
    local function per_channel(array)
        return sugar.tensor(array, { shape = { 1, 2 } })
    end
    local slopes, gradient = per_channel(filled { 0.5, 0.25 }), ffi.new "float[2]"
    equal(list(prelu:forward(x, nil, { parameter = slopes }).data, 4), "-0.5 2 -1.5 4")
    prelu:backward(x, dy, nil, { parameter = slopes, parameter_gradient = per_channel(gradient) })
    equal(list(gradient, 2), "-4 0")
    fails(c.SUGAR_ERROR_OVERLAP, "parameter_gradient: stride 0", prelu.backward, prelu, x, dy, nil, {
        parameter_gradient = sugar.tensor(gradient, { shape = { 2, 2 }, strides = { 0, 1 } }) })
end)

case("bias and gate", function()
    local x, gate, dy, bias = filled { -1, 1, 2 }, filled { 2, 3, 4 }, filled { 1, 10, 100 }, filled { 0.5 }
    equal(list(relu:forward(x, nil, { bias = bias, gate = gate }).data, 3), "0 4.5 10")
    local sum, product, dx = filled { 7 }, filled { 7, 7, 7 }, filled { 7, 7, 7 }
    relu:backward(x, dy, dx, { bias = bias, bias_gradient = sum, gate = gate, gate_gradient = product })
    equal(list(dx, 3), "0 30 400")
    equal(list(sum, 1), "430")
    equal(list(product, 3), "0 15 250")
    local half = sugar.tensor(filled({ 0xbc00, 0x3c00, 0 }, "uint16_t"), { dtype = "f16" })
    relu:forward(half, half, { bias = bias })
    equal(list(half.data, 3), ("0 %d %d"):format(0x3e00, 0x3800))
    fails(ARGUMENT, "gate: shape (1,), expected (3,) like x", relu.forward, relu, x, nil, { gate = bias })
    fails(ARGUMENT, "bias_gradient: an array of const", relu.backward, relu, x, dy, dx, {
        bias_gradient = ffi.new "const float[1]" })
end)

case("second derivatives", function()
    local square = sugar.Activation "square"
    local x, dy, v = filled { -1, 1, 2 }, filled { 1, 10, 100 }, filled { 1, 2, 3 }
    local ddy, dx = square:backward_twice(x, dy, v)
    equal(list(ddy.data, 3), "-2 4 12")
    equal(list(dx.data, 3), "2 40 600")
    local none, added = square:backward_twice(x, dy, v, { dx = dx }, { accumulate = true })
    equal(none, nil)
    equal(added, dx)
    equal(list(dx.data, 3), "4 80 1200")
    square:backward_twice(x, dy, ddy, { ddy = ddy })
    equal(list(ddy.data, 3), "4 8 48")
    fails(ARGUMENT, "ddy: NULL, and dx NULL", square.backward_twice, square, x, dy, v, {})
    fails(ARGUMENT, "outputs: unknown 'dy'", square.backward_twice, square, x, dy, v, { dy = dy })
    fails(ARGUMENT, "v: nil, expected a tensor", square.backward_twice, square, x, dy)
end)

case("tables", function()
    local rows = { { 0, 0, 0 }, { 1, 1, 0 } }
    local step = sugar.Activation("table", { table = rows })
    equal(list(step:forward(filled { -1, 0.5, 3 }).data, 3), "0 0.5 1")
    equal(sugar.Activation(step.spec, { table = rows, level = "scalar" }).spec, step.spec)
    fails(ARGUMENT, "table: NULL", sugar.Activation, "table")
    fails(ARGUMENT, "table[2]: 2 numbers, expected { knot, value, slope }", sugar.Activation, "table", {
        table = { { 0, 0, 0 }, { 1, 1 } } })
    fails(ARGUMENT, "table[1]: table, expected a number", sugar.Activation, "table", { table = { { 0, {}, 0 } } })
    fails(ARGUMENT, "table: number, expected a list", sugar.Activation, "table", { table = 3 })
end)

case("the gradient of a parameter over nothing is 0", function()
    local gradient, empty = filled { 7, 7, 7 }, sugar.zeros("f32", { 0, 2 })
    local prelu = sugar.Activation "prelu"
    prelu:backward(empty, empty, empty, {
        parameter = sugar.tensor(filled { 1, 1 }, { shape = { 1, 2 } }),
        parameter_gradient = sugar.tensor(gradient, { shape = { 1, 2 } }) })
    equal(list(gradient, 3), "0 0 7")
    prelu:backward(empty, empty, empty, {
        parameter_gradient = sugar.tensor(gradient, { shape = { 0, 2 }, strides = { 0, 0 }, offset = 2 }) })
    equal(list(gradient, 3), "0 0 7")
end)

case("operands without elements: at NULL, off their alignment, with any strides and offsets", function()
    local memory, shape = ffi.new("uint8_t[64]"), { 0, 3 }
    local function nothing(way, dtype)
        local pointer = dtype == "u8" and "uint8_t *" or "double *"
        return sugar.tensor(ffi.cast(pointer, way % 2 == 0 and nil or memory + 1), {
            dtype = dtype, length = 0, shape = shape, strides = ({ { 0, 0 }, { -7, 2 ^ 53 } })[way % 3],
            offset = way % 4 })
    end
    local prelu, rrelu, monitor = sugar.Activation "prelu", sugar.Activation "rrelu", sugar.Monitor(3)
    for way = 0, 11 do
        local x, dy, out = nothing(way), nothing(way + 1), nothing(way + 2)
        relu:forward(x, out, { monitor = monitor })
        prelu:forward(x, out, { parameter = dy })
        prelu:backward(x, dy, out, { parameter = dy, parameter_gradient = nothing(way + 3) })
        local bits = sugar.tensor(ffi.cast("uint8_t *", nil), { dtype = "bit", length = 0, shape = shape,
                                                                strides = way % 2 == 0 and { 0, 0 } or nil })
        for _, saved in ipairs { nothing(way, "u8"), bits } do
            relu:forward(x, out, { saved_gradient = saved })
            relu:backward(nil, dy, out, { saved_gradient = saved })
        end
        rrelu:forward(x, out, { random = { seed = 1 } })
    end
    equal(monitor:summary().samples, 0)
end)

case("saved gradients in a byte and in a bit", function()
    for _, dtype in ipairs { "u8", "bit" } do
        local saved = sugar.zeros(dtype, 9)
        local x, dy = filled { -1, 2, -3, 4, -5, 6, -7, 8, 9 }, filled { 1, 1, 1, 1, 1, 1, 1, 1, 1 }
        relu:forward(x, nil, { saved_gradient = saved })
        equal(list(relu:backward(nil, dy, nil, { saved_gradient = saved }).data, 9), "0 1 0 1 0 1 0 1 1", dtype)
    end
end)

case("random slopes: numbers and 64 bits", function()
    local rrelu = sugar.Activation "rrelu"
    local x = filled { -1, -1, -1, -1 }
    local function draw(seed)
        return list(rrelu:forward(x, nil, { random = { seed = seed, offset = 3 } }).data, 4)
    end
    equal(draw(7), draw(7ULL))
    equal(draw(7) ~= draw(8), true)
    equal(draw(0xFFFFFFFFFFFFFFFFULL) ~= draw(7), true)
end)

case("a monitor, and what it holds", function()
    local monitor = sugar.Monitor(2, { threshold = 0.5 })
    relu:forward(sugar.tensor(filled { 1, -1, 2, 0.25 }, { shape = { 2, 2 } }), nil, { monitor = monitor })
    local summary = monitor:summary()
    equal(summary.samples, 4)
    equal(summary.dead, 1)
    equal(monitor:unit(0).sum, 3)
    equal(table.concat(monitor:dead(), " "), "1")
    local copy = sugar.restore_monitor(monitor:save())
    copy:merge(monitor)
    equal(copy:summary().samples, 8)
    copy:reset()
    equal(copy:summary().samples, 0)
    copy:observe(filled { 3, 3 })
    equal(copy:summary().active, 2)
    local counts, edges = monitor:histogram()
    equal(#counts, c.SUGAR_MONITOR_BINS)
    equal(#edges, c.SUGAR_MONITOR_BINS - 1)
    local _, bounds = sugar.Monitor(1, { minimum = -1, maximum = 3 }):histogram()
    equal(bounds[1], -1)
    equal(bounds[#bounds], 3)
    local rows = sugar.Monitor(2, { axis_from_end = 1, bins = c.SUGAR_MONITOR_BINS })
    rows:observe(sugar.tensor(filled { 1, -1, 2, -1, -1, -1 }, { shape = { 2, 3 } }))
    equal(table.concat(rows:dead(), " "), "1")
    fails(ARGUMENT, "axis_from_end -1, expected 0, the last one, to 63", sugar.Monitor, 1, { axis_from_end = -1 })
    fails(UNSUPPORTED, "bins 33, expected 0 or 32", sugar.Monitor, 1, { bins = 33 })
    fails(ARGUMENT, "index", monitor.unit, monitor, 2)
    fails(ARGUMENT, "from", copy.merge, copy, nil)
    fails(ARGUMENT, "units", sugar.Monitor, 0)
    fails(c.SUGAR_ERROR_DATA, "buffer", sugar.restore_monitor, "not a monitor")
end)

-- ---- Errors

case("what the library refuses", function()
    fails(SPEC, "did you mean 'relu'?", sugar.Activation, "rel")
    fails(SPEC, "position", sugar.Activation, "relu\0")
    fails(UNSUPPORTED, "level", sugar.Activation, "relu", { level = "mmx" })
    fails(ARGUMENT, "y: shape (2,), expected (3,) like x", relu.forward, relu, filled { 1, 2, 3 }, filled { 1, 2 })
    fails(ARGUMENT, "y: dtype float64, expected float32 like x", relu.forward, relu, filled { 1 },
        filled({ 1 }, "double"))
    fails(ARGUMENT, "x: NULL, expected a tensor", relu.backward, relu, nil, filled { 1 })
    fails(ARGUMENT, "threads", sugar.Context, -1)
    fails(UNSUPPORTED, "SUGAR_CALL_NONTEMPORAL", relu.forward, relu, filled { 1 }, nil, { accumulate = true })
end)

case("what this layer refuses", function()
    fails(ARGUMENT, "x: table, expected a tensor or an FFI array", relu.forward, relu, { 1, 2 })
    fails(ARGUMENT, "expected an array or a pointer", relu.forward, relu, ffi.new "double")
    fails(ARGUMENT, "dtype: nil", sugar.tensor, ffi.new "uint16_t[2]")
    fails(ARGUMENT, "expected one of uint16_t for dtype f16", sugar.tensor, ffi.new "float[2]", { dtype = "f16" })
    fails(ARGUMENT, "expected the number of elements behind a pointer", sugar.tensor, ffi.cast("float *", 8))
    fails(ARGUMENT, "data: NULL", sugar.tensor, ffi.cast("float *", nil), { length = 1 })
    fails(ARGUMENT, "an array, which knows its own", sugar.tensor, ffi.new "float[2]", { length = 4 })
    fails(ARGUMENT, "y: an array of const", relu.forward, relu, filled { 1 }, ffi.new "const float[1]")
    fails(ARGUMENT, "options: unknown 'inplace'", relu.forward, relu, filled { 1 }, nil, { inplace = true })
    fails(ARGUMENT, "context: table, expected a context", relu.forward, relu, filled { 1 }, nil, { context = relu })
    fails(ARGUMENT, "parallel_for", sugar.Context, { parallel_for = print })
    fails(ARGUMENT, "random.seed", relu.forward, relu, filled { 1 }, nil, { random = { seed = -1 } })
    fails(ARGUMENT, "spec: nil, expected a string", sugar.Activation)
end)

case("views that leave their array", function()
    local array = ffi.new "float[6]"
    for _, options in ipairs {
        { shape = { 7 } }, { shape = { 2, 4 } }, { shape = { 2 }, offset = 5 }, { shape = { 2 }, strides = { -1 } },
        { shape = { 3 }, strides = { 3 } }, { shape = { 2, 2 }, strides = { 4, -2 }, offset = 1 },
        { shape = { 2 }, strides = { 2 ^ 53 } }, { shape = { 2 ^ 53, 2 ^ 53 } }, { shape = { 1 }, offset = 6 },
    } do
        fails(ARGUMENT, "the view reaches", sugar.tensor, array, options)
    end
    fails(ARGUMENT, "the view reaches", sugar.tensor, ffi.new "uint8_t[1]", { dtype = "bit", shape = { 9 } })
    fails(ARGUMENT, "compact", sugar.tensor, ffi.new "uint8_t[9]", { dtype = "bit", shape = { 3 }, strides = { 2 } })
    fails(ARGUMENT, "shape", sugar.tensor, array, { shape = { -1 } })
    fails(ARGUMENT, "shape", sugar.tensor, array, { shape = { 1.5 } })
    fails(ARGUMENT, "shape", sugar.tensor, array, { shape = { 0 / 0 } })
    fails(ARGUMENT, "strides", sugar.tensor, array, { shape = { 2, 2 }, strides = { 1 } })
    fails(ARGUMENT, "offset", sugar.tensor, array, { offset = -1 })
    sugar.tensor(array, { shape = { 3, 2 }, strides = { -2, 1 }, offset = 4 })
    sugar.tensor(array, { shape = { 0, 9 }, offset = 6 })
    sugar.tensor(ffi.new "uint8_t[2]", { dtype = "bit", shape = { 9 } })
end)

-- ---- Freeing

case("destroyed objects are refused, and destroyed once", function()
    local activation = sugar.Activation "relu"
    activation:destroy()
    activation:destroy()
    fails(ARGUMENT, "activation: NULL, expected a handle", activation.forward, activation, filled { 1 })
    local monitor = sugar.Monitor(1)
    monitor:destroy()
    fails(ARGUMENT, "monitor", monitor.summary, monitor)
    fails(ARGUMENT, "monitor: destroyed", relu.forward, relu, filled { 1 }, nil, { monitor = monitor })
end)

local function threads()
    local count = 0
    local pipe = io.popen "ls /proc/$PPID/task"
    for _ in pipe:lines() do
        count = count + 1
    end
    pipe:close()
    return count
end

case("the collector ends a context's threads", function()
    local before = threads()
    do
        local context = sugar.Context(4)
        equal(threads(), before + 3)
        equal(type(context), "table")
    end
    collectgarbage()
    collectgarbage()
    equal(threads(), before)
end)

local function resident()
    for line in io.lines "/proc/self/status" do
        local size = line:match "VmRSS:%s*(%d+)"
        if size then
            return tonumber(size)
        end
    end
end

case("the collector frees activations and monitors", function()
    for name, make in pairs {
        activation = function() return sugar.Activation "relu~bsilu(alpha=1.5)" end,
        monitor = function() return sugar.Monitor(1000) end,
    } do
        local function many(count)
            for i = 1, count do
                make()
                if i % 100 == 0 then
                    collectgarbage()
                end
            end
        end
        many(200)
        local before = resident()
        many(3000)
        if resident() - before > 1500 then
            error(("%s: %d KiB more after 3000 of them"):format(name, resident() - before))
        end
    end
end)

-- ---- What the library knows, and the manifest

case("catalogue", function()
    local kinds = {}
    for _, kind in ipairs(sugar.kinds()) do
        kinds[kind.name] = kind
    end
    equal(kinds.silu.alias, "swish")
    equal(kinds.prelu.capabilities.learn, true)
    equal(kinds.relu.roles.forward, true)
    equal(kinds.bsilu.parameters[1].name, "alpha")
    equal(sugar.levels()[1].name, "scalar")
    equal(sugar.version(), c.VERSION)
    equal(relu.spec, "relu")
    equal(kinds.hardtanh.parameters[1].not_above, "max_val")
    equal(kinds.hardtanh.parameters[2].not_above, nil)
    equal(kinds.elu.parameters[1].learnable, true)
    equal(kinds.hardtanh.parameters[1].learnable, false)
    equal(tostring(sugar.Activation("relu", { level = "scalar" })), "activation(relu, scalar)")
end)

case("info", function()
    local spec = "prelu(alpha=0.5)~bsilu(alpha=1.5,domain=negative,blend=0.25)"
    local info = sugar.Activation(spec, { level = "scalar" }):info()
    equal(info.spec, spec)
    equal(info.level, "scalar")
    equal(info.forward.kind, "prelu")
    equal(info.forward.parameters.alpha, 0.5)
    equal(info.surrogate.kind, "bsilu")
    equal(info.surrogate.parameters.alpha, 1.5)
    equal(info.domain, "negative")
    equal(info.blend, 0.25)
    equal(info.uses_own_derivative, true)
    equal(info.capabilities.learn, true)
    equal(info.capabilities.save_bit, nil)
    local plain = relu:info()
    equal(plain.surrogate, nil)
    equal(plain.domain, "all")
    equal(plain.capabilities.save_bit, true)
    equal(plain.gradient_minimum, 0)
    equal(plain.gradient_maximum, 1)
end)

case("the manifest names every module, and the version", function()
    local manifest = setmetatable({}, { __index = _G })
    setfenv(assert(loadfile(FOLDER .. "/rockspec")), manifest)()
    equal(manifest.version, c.VERSION .. "-1")
    local pipe = io.popen(("cd '%s/src' && ls *.lua */*.lua"):format(FOLDER))
    for path in pipe:lines() do
        local module = path:gsub("%.lua$", ""):gsub("/", ".")
        equal(manifest.build.modules[module], "src/" .. path, module)
        manifest.build.modules[module] = nil
    end
    pipe:close()
    equal(next(manifest.build.modules), nil)
end)

check.finish()
