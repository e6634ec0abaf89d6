-- What the library knows: kinds of functions with their parameters, and instruction sets.

local ffi = require "ffi"
local c = require "libsugar.ffi"
local errors = require "libsugar.error"

local C, check = c.C, errors.check
local ROLES = { forward = c.SUGAR_ROLE_FORWARD, surrogate = c.SUGAR_ROLE_SURROGATE }
local CAPABILITIES = {
    learn = c.SUGAR_CAN_LEARN, start_from_output = c.SUGAR_CAN_START_FROM_OUTPUT, save_byte = c.SUGAR_CAN_SAVE_BYTE,
    save_bit = c.SUGAR_CAN_SAVE_BIT, draw = c.SUGAR_CAN_DRAW,
    differentiate_twice = c.SUGAR_CAN_DIFFERENTIATE_TWICE,
}

local function text(pointer)
    return pointer ~= nil and ffi.string(pointer) or nil
end

-- { name = true } for each bit that is set.
local function set_of(bits, names)
    local set = {}
    for name, bit in pairs(names) do
        set[name] = tonumber(bits) % (2 * bit) >= bit or nil
    end
    return set
end

local function parameters(index, count)
    local list = {}
    for i = 1, count do
        local parameter = ffi.new("sugar_parameter", ffi.sizeof "sugar_parameter")
        check(C.sugar_kind_get_parameter(index, i - 1, parameter))
        list[i] = { name = text(parameter.name), default = parameter.default_value, minimum = parameter.minimum,
                    maximum = parameter.maximum, learnable = parameter.learnable ~= 0,
                    not_above = parameter.not_above }
    end
    for _, parameter in ipairs(list) do     -- their names are known now
        local other = list[parameter.not_above + 1]
        parameter.not_above = other and other.name
    end
    return list
end

local M = {}

-- The set of names for SUGAR_CAN_*.
function M.capabilities(bits)
    return set_of(bits, CAPABILITIES)
end

-- A kind: name, alias, roles and capabilities (sets of names), value and derivative (formulas), source, parameters.
-- Of a parameter: name, default, minimum, maximum, learnable, and not_above, the name of the one that it may not
-- exceed.
function M.kind(index)
    local kind = ffi.new("sugar_kind", ffi.sizeof "sugar_kind")
    check(C.sugar_kind_get(index, kind))
    return {
        name = text(kind.name), alias = text(kind.alias), roles = set_of(kind.roles, ROLES),
        capabilities = M.capabilities(kind.capabilities), value = text(kind.value),
        derivative = text(kind.derivative), source = text(kind.source),
        parameters = parameters(index, kind.parameter_count),
    }
end

-- All kinds.
function M.kinds()
    local list = {}
    for index = 0, C.sugar_kind_count() - 1 do
        list[#list + 1] = M.kind(index)
    end
    return list
end

-- All instruction sets: name, and whether compiled, supported, in_use.
function M.levels()
    local list = {}
    for index = 0, C.sugar_level_count() - 1 do
        local level = ffi.new("sugar_level", ffi.sizeof "sugar_level")
        check(C.sugar_level_get(index, level))
        list[#list + 1] = { name = text(level.name), compiled = level.compiled ~= 0, supported = level.supported ~= 0,
                            in_use = level.in_use ~= 0 }
    end
    return list
end

-- The version of the library in use: "0.1.0".
function M.version()
    local version = C.sugar_version()
    return ("%d.%d.%d"):format(version / 10000, version / 100 % 100, version % 100)
end

return M
