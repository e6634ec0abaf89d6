-- Activations: a forward function and the surrogate of the backward pass, made from a spec.

local ffi = require "ffi"
local c = require "libsugar.ffi"
local catalogue = require "libsugar.catalogue"
local errors = require "libsugar.error"
local Options = require "libsugar.options"
local Tensor = require "libsugar.tensor"

local C, check = c.C, errors.check
local Activation = require "libsugar.handle" (C.sugar_activation_destroy)
local KNOWN = { level = true, table = true }
local OUTPUTS = { ddy = true, dx = true }

local function text(pointer)
    return pointer ~= nil and ffi.string(pointer) or nil
end

-- The numbers of a table, row by row: knot, value, slope. Answers none, and 0, where there is no table.
local function knots(rows)
    if rows == nil then
        return nil, 0
    elseif type(rows) ~= "table" then
        errors.argument("table: %s, expected a list of rows", type(rows))
    end
    local numbers = ffi.new("double[?]", math.max(3 * #rows, 1))
    for i, row in ipairs(rows) do
        if type(row) ~= "table" or #row ~= 3 then
            errors.argument("table[%d]: %s, expected { knot, value, slope }", i,
                            type(row) == "table" and #row .. " numbers" or type(row))
        end
        for j = 1, 3 do
            numbers[3 * i + j - 4] = tonumber(row[j]) or
                errors.argument("table[%d]: %s, expected a number", i, type(row[j]))
        end
    end
    return numbers, #rows
end

-- An activation of a spec such as "relu~bsilu(alpha=1.67)". Options: level, the name of an instruction set; table, rows
-- { knot, value, slope } of the function that the spec calls "table", a cubic Hermite spline. Its canonical spec is in
-- `spec`, the level in use in `level`.
function Activation.new(spec, options)
    options = options or {}
    errors.check_keys("activation", options, KNOWN)
    if type(spec) ~= "string" then
        errors.argument("spec: %s, expected a string", type(spec))
    end
    local level = options.level
    if level ~= nil and (type(level) ~= "string" or level:find "%z") then
        errors.argument("level: %s, expected a name", tostring(level))
    end
    local out = ffi.new "sugar_activation *[1]"
    local numbers, count = knots(options.table)     -- nothing is allocated between what leads to them and the call
    local choice = ffi.new("sugar_activation_options", ffi.sizeof "sugar_activation_options", level, numbers, count)
    check(C.sugar_activation_create_with_options(out, spec, #spec, choice))
    return Activation.own(out, { spec = text(C.sugar_activation_spec(out[0])),
                                 level = text(C.sugar_activation_level(out[0])) })
end

-- Arrays made as float[?] or double[?] take the library's calls on vectors: they need no tensor, which costs a
-- microsecond to make.
local FLOATS, DOUBLES = ffi.typeof "float[?]", ffi.typeof "double[?]"

-- Whether all are arrays of one such type and of one length.
local function are(array, a, b, c)
    return ffi.istype(array, a) and ffi.istype(array, b) and ffi.istype(array, c) and
        ffi.sizeof(a) == ffi.sizeof(b) and ffi.sizeof(a) == ffi.sizeof(c)
end

-- y = f(x). Operands are tensors, or FFI arrays of float or double; a y that is not given is made. Answers y.
--
-- Here and below: nothing is allocated between the reading of a tensor's view and the call, so that the collector
-- cannot come between them.
function Activation:forward(x, y, options)
    options = Options.of(options)
    if are(FLOATS, x, y, y) then
        check(C.sugar_forward_f32(self.handle, ffi.sizeof(x) / 4, x, 1, y, 1, options and options:pointer()))
        return y
    elseif are(DOUBLES, x, y, y) then
        check(C.sugar_forward_f64(self.handle, ffi.sizeof(x) / 8, x, 1, y, 1, options and options:pointer()))
        return y
    end
    local from = Tensor.of("x", x)
    if y == nil then
        y = Tensor.zeros(from.dtype, from.shape)
    end
    local to = Tensor.output("y", y)
    check(C.sugar_forward(self.handle, from.view, to.view, options and options:pointer()))
    return y
end

-- dx = dy * g'(x). x is nil where the options have a saved_gradient; a dx that is not given is made. Answers dx.
function Activation:backward(x, dy, dx, options)
    options = Options.of(options)
    if are(FLOATS, x, dy, dx) then
        check(C.sugar_backward_f32(self.handle, ffi.sizeof(x) / 4, x, 1, dy, 1, dx, 1, options and options:pointer()))
        return dx
    elseif are(DOUBLES, x, dy, dx) then
        check(C.sugar_backward_f64(self.handle, ffi.sizeof(x) / 8, x, 1, dy, 1, dx, 1, options and options:pointer()))
        return dx
    end
    local from = x ~= nil and Tensor.of("x", x) or nil
    local gradient = Tensor.of("dy", dy)
    if dx == nil then
        dx = Tensor.zeros(gradient.dtype, gradient.shape)
    end
    local to = Tensor.output("dx", dx)
    check(C.sugar_backward(self.handle, from and from.view, gradient.view, to.view, options and options:pointer()))
    return dx
end

-- ddy = v * g'(x) and dx = v * dy * g''(x): where v is the gradient that reaches the dx of backward, what goes on to
-- its dy and to its x. Outputs: a table with ddy, dx or both; without it both are made. Answers ddy and dx.
function Activation:backward_twice(x, dy, v, outputs, options)
    options = Options.of(options)
    local from, gradient, reached = Tensor.of("x", x), Tensor.of("dy", dy), Tensor.of("v", v)
    if outputs == nil then
        outputs = { ddy = Tensor.zeros(from.dtype, from.shape), dx = Tensor.zeros(from.dtype, from.shape) }
    end
    errors.check_keys("outputs", outputs, OUTPUTS)
    local ddy = outputs.ddy ~= nil and Tensor.output("ddy", outputs.ddy) or nil
    local dx = outputs.dx ~= nil and Tensor.output("dx", outputs.dx) or nil
    check(C.sugar_backward_twice(self.handle, from.view, gradient.view, reached.view, ddy and ddy.view, dx and dx.view,
                                 options and options:pointer()))
    return outputs.ddy, outputs.dx
end

-- A function of an activation: the name of its kind, and the values of its parameters by their names.
local function side(index, values)
    local kind, parameters = catalogue.kind(index), {}
    for i, parameter in ipairs(kind.parameters) do
        parameters[parameter.name] = values[i - 1]
    end
    return { kind = kind.name, parameters = parameters }
end

-- What it is: spec, level; forward and surrogate (nil: none), each with kind and parameters; domain ("all" or
-- "negative"), blend, uses_own_derivative; capabilities, a set of names: what calls accept; gradient_minimum and
-- gradient_maximum, the bounds of g'(x). What they mean in full stands beside sugar_activation_info in libsugar.ffi.
function Activation:info()
    local found = ffi.new("sugar_activation_info", ffi.sizeof "sugar_activation_info")
    check(C.sugar_activation_get_info(self.handle, found))
    return {
        spec = text(found.spec), level = text(found.level),
        forward = side(found.forward_kind, found.forward_parameters),
        surrogate = found.surrogate_kind >= 0 and side(found.surrogate_kind, found.surrogate_parameters) or nil,
        domain = found.domain == c.SUGAR_DOMAIN_NEGATIVE and "negative" or "all", blend = found.blend,
        uses_own_derivative = found.uses_own_derivative ~= 0, capabilities = catalogue.capabilities(found.capabilities),
        gradient_minimum = found.gradient_minimum, gradient_maximum = found.gradient_maximum,
    }
end

function Activation:__tostring()
    return ("activation(%s, %s)"):format(self.spec, self.level)
end

return Activation
