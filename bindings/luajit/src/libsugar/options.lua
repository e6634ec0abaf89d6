-- Options of a call. A table will do; made once by Options.new and passed to many calls, they cost nothing.

local ffi = require "ffi"
local c = require "libsugar.ffi"
local errors = require "libsugar.error"
local Context = require "libsugar.context"
local Tensor = require "libsugar.tensor"

local Options = {}
Options.__index = Options

local KNOWN = { accumulate = true, nontemporal = true, from_output = true, context = true, monitor = true,
                random = true }
-- Tensors among the options, and what makes one of what is given: of those that are written, too.
local TENSORS = { parameter = Tensor.of, parameter_gradient = Tensor.output, saved_gradient = Tensor.output,
                  bias = Tensor.of, bias_gradient = Tensor.output, gate = Tensor.of, gate_gradient = Tensor.output }
for role in pairs(TENSORS) do
    KNOWN[role] = true
end
local RANDOM = { seed = true, offset = true }
local new_options = ffi.typeof "sugar_call_options"
local new_random = ffi.typeof "sugar_random"

local function flags(options)
    local nontemporal = options.nontemporal
    return (options.accumulate and c.SUGAR_CALL_ACCUMULATE or 0)
        + (options.from_output and c.SUGAR_CALL_FROM_OUTPUT or 0)
        + (nontemporal and c.SUGAR_CALL_NONTEMPORAL or nontemporal == false and c.SUGAR_CALL_TEMPORAL or 0)
end

-- A number up to 2^53, or a uint64_t for all of them.
local function seed_of(name, value)
    if type(value) == "cdata" and (ffi.istype("uint64_t", value) or ffi.istype("int64_t", value)) then
        return value
    end
    return errors.check_integer("random." .. name, value, 0, 2 ^ 53)
end

local function random_of(random)
    errors.check_keys("random", random, RANDOM)
    return new_random(ffi.sizeof(new_random), seed_of("seed", random.seed or 0), seed_of("offset", random.offset or 0))
end

local function check_class(name, object, class)
    if getmetatable(object) ~= class then
        errors.argument("%s: %s, expected a %s", name, type(object), name)
    end
    return object
end

-- All are optional:
--     accumulate           true: dx = dx + dy * g'(x)
--     nontemporal          true, false: stores past the caches always, never; nil: outputs larger than the cache
--     from_output          true: x of backward is the output of forward
--     context, monitor     objects of these classes
--     parameter            a tensor in place of the parameter in the spec: its extents are those of x, or 1 where it
--                          does not vary
--     parameter_gradient   a tensor that receives the gradient of it, summed where its extent is 1
--     saved_gradient       a tensor of dtype u8 or bit: forward writes it, backward reads it and takes nil as x
--     bias                 a tensor that is added to x, its extents as those of a parameter; both may be f32 beside f16
--                          and bf16, and so may their gradients
--     bias_gradient        a tensor that receives the gradient of it, summed where its extent is 1
--     gate                 a tensor that f(x) is multiplied by, of the shape of x
--     gate_gradient        a tensor that receives the gradient of it
--     random               { seed =, offset = }: numbers, or uint64_t
function Options.new(options)
    errors.check_keys("options", options, KNOWN)
    local self = setmetatable({}, Options)
    local view = new_options(ffi.sizeof(new_options), flags(options))
    if options.context ~= nil then
        self.context = check_class("context", options.context, Context)
    end
    if options.monitor ~= nil then
        self.monitor = check_class("monitor", options.monitor, Options.Monitor)
    end
    for role, tensor_of in pairs(TENSORS) do
        if options[role] ~= nil then
            self[role] = tensor_of(role, options[role])
            view[role] = self[role].view
        end
    end
    if options.random ~= nil then
        self.random = random_of(options.random)
        view.random = self.random
    end
    self.view = view
    return self
end

-- For the library. Handles are looked up anew: they may have been destroyed.
function Options:pointer()
    local view = self.view
    if self.context then
        view.context = self.context.handle or errors.argument "context: destroyed, expected a live one"
    end
    if self.monitor then
        view.monitor = self.monitor.handle or errors.argument "monitor: destroyed, expected a live one"
    end
    return view
end

-- What a call was given: nil, a table, or options made before.
function Options.of(options)
    if options == nil or getmetatable(options) == Options then
        return options
    end
    return Options.new(options)
end

return Options
