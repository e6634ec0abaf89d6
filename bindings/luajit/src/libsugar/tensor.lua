-- Tensors: views of FFI arrays with a shape, strides and an offset, never copies. What a view reaches is checked
-- against the array's length when it is made, so that no call reads or writes beyond it.

local ffi = require "ffi"
local c = require "libsugar.ffi"
local errors = require "libsugar.error"

local argument = errors.argument

local Tensor = {}
Tensor.__index = Tensor

-- Types of elements: how DLPack names them, and what the arrays that hold them are made of.
local TYPES = {
    f32 = { code = c.SUGAR_TYPE_FLOAT, bits = 32, element = "float" },
    f64 = { code = c.SUGAR_TYPE_FLOAT, bits = 64, element = "double" },
    f16 = { code = c.SUGAR_TYPE_FLOAT, bits = 16, element = "uint16_t" },
    bf16 = { code = c.SUGAR_TYPE_BFLOAT, bits = 16, element = "uint16_t" },
    u8 = { code = c.SUGAR_TYPE_UNSIGNED, bits = 8, element = "uint8_t" },
    bit = { code = c.SUGAR_TYPE_UNSIGNED, bits = 1, element = "uint8_t" },
}
for _, dtype in pairs(TYPES) do
    dtype.size = ffi.sizeof(dtype.element)
    dtype.array = ffi.typeof(dtype.element .. "[?]")
    dtype.printed = tostring(ffi.typeof(dtype.element)):match "^ctype<(.+)>$"
end
local DEFAULT = { float = "f32", double = "f64" }   -- arrays whose elements say what they are

local KNOWN = { dtype = true, shape = true, strides = true, offset = true, length = true }
local EXACT = 2 ^ 53                                -- whole numbers up to here are exact
local new_view = ffi.typeof "sugar_tensor"
local new_extents = ffi.typeof "int64_t[?]"

-- What an FFI array is made of: the element's name, how many there are (nil: unknown), whether it is const.
local function inspect(data)
    if type(data) ~= "cdata" then
        argument("data: %s, expected an FFI array", type(data))
    end
    local name = tostring(ffi.typeof(data))
    local element, form = name:match "^ctype<([%a_][%w_ ]-) ?([%[%*%(].*)>$"
    if not element then
        argument("data: %s, expected an array or a pointer", name)
    end
    local constant = element:find "^const " ~= nil
    element = element:gsub("^const ", "")
    if form:find "%*" then
        return element, nil, constant or form:find "const" ~= nil
    end
    local known, size = pcall(ffi.sizeof, element)
    return element, known and ffi.sizeof(data) / size or 0, constant
end

local function type_of(data_element, name)
    name = name or DEFAULT[data_element]
    local dtype = TYPES[name]
    if not dtype then
        argument("dtype: %s, expected f32, f64, f16, bf16, u8 or bit (of an array of %s)", tostring(name), data_element)
    end
    if dtype.printed ~= data_element then
        argument("data: an array of %s, expected one of %s for dtype %s", data_element, dtype.element, name)
    end
    return name, dtype
end

-- A list of whole numbers, copied into memory that the library can read.
local function extents(what, list, rank, minimum)
    if type(list) ~= "table" or #list ~= rank then
        argument("%s: expected a list of %d numbers", what, rank)
    end
    local copy = new_extents(math.max(rank, 1))
    for i = 1, rank do
        copy[i - 1] = errors.check_integer(what, list[i], minimum, EXACT)
    end
    return copy
end

-- The first and the last element that a view reaches; nil if it has none.
local function reach(shape, strides, offset)
    local first, last, compact = offset, offset, 1
    for i = #shape, 1, -1 do
        if shape[i] == 0 then
            return nil
        end
        local span = (shape[i] - 1) * (strides and strides[i] or compact)
        first, last = first + math.min(span, 0), last + math.max(span, 0)
        compact = compact * shape[i]
    end
    return first, last
end

local function compact_strides(shape, strides)
    local compact = 1
    for i = #shape, 1, -1 do
        if strides and shape[i] ~= 1 and strides[i] ~= compact then
            return false
        end
        compact = compact * shape[i]
    end
    return true
end

local function check_bounds(tensor, length)
    local first, last = reach(tensor.shape, tensor.strides, tensor.offset)
    if tensor.dtype == "bit" and first then
        if not compact_strides(tensor.shape, tensor.strides) then
            argument("strides: expected compact ones for dtype bit")
        end
        first, last = tensor.offset, tensor.offset + math.floor((last - tensor.offset) / 8)
    end
    if first and (first < 0 or last >= length) then
        argument("data: the view reaches elements %.0f to %.0f, expected 0 to %.0f, within the array", first, last,
                 length - 1)
    end
end

-- A view of `data`, an FFI array of float, double, uint16_t (f16, bf16) or uint8_t (saved gradients). Options:
--     dtype     f32, f64, f16, bf16, u8, bit; f32 and f64 need not be named
--     shape     list of extents; default: one dimension, all of the array behind the offset
--     strides   list of steps in elements, any sign; default: compact, row-major
--     offset    of the first element, in elements (bytes for bit); default 0
--     length    of what `data` leads to if it is a pointer, in elements; whoever names it, answers for it, and
--               keeps that memory alive
function Tensor.new(data, options)
    options = options or {}
    errors.check_keys("tensor", options, KNOWN)
    local element, length, constant = inspect(data)
    local name, dtype = type_of(element, options.dtype)
    if not length then
        if not options.length then
            argument("length: nil, expected the number of elements behind a pointer")
        end
        length = errors.check_integer("length", options.length, 0, EXACT)
        if data == nil and length > 0 then
            argument("data: NULL, expected an address")
        end
    elseif options.length then
        argument("length: %s, expected nil for an array, which knows its own", tostring(options.length))
    end
    local offset = errors.check_integer("offset", options.offset or 0, 0, EXACT)
    local shape = options.shape or { math.max(length - offset, 0) * (name == "bit" and 8 or 1) }
    local rank = type(shape) == "table" and #shape or -1
    if rank < 0 or rank > c.SUGAR_MAX_DIMENSIONS then
        argument("shape: expected a list of 0 to %d extents", c.SUGAR_MAX_DIMENSIONS)
    end
    local self = setmetatable({ data = data, dtype = name, offset = offset, constant = constant, shape = {},
                                strides = options.strides and {} }, Tensor)
    self.extents = extents("shape", shape, rank, 0)
    self.steps = options.strides and extents("strides", options.strides, rank, -EXACT)
    for i = 1, rank do
        self.shape[i] = shape[i]
        if self.strides then
            self.strides[i] = options.strides[i]
        end
    end
    check_bounds(self, length)
    self.view = new_view(ffi.cast("void *", data), { c.SUGAR_DEVICE_CPU, 0 }, rank, { dtype.code, dtype.bits, 1 },
                         self.extents, self.steps or nil, offset * dtype.size)
    return self
end

-- A new array of zeros, of that shape (a list, or a number for one dimension), and its tensor.
function Tensor.zeros(dtype, shape)
    shape = type(shape) == "number" and { shape } or shape
    local count = 1
    for _, extent in ipairs(shape) do
        count = count * errors.check_integer("shape", extent, 0, EXACT)
    end
    if not TYPES[dtype] then
        argument("dtype: %s, expected f32, f64, f16, bf16, u8 or bit", tostring(dtype))
    end
    count = dtype == "bit" and math.ceil(count / 8) or count
    return Tensor.new(TYPES[dtype].array(count), { dtype = dtype, shape = shape })
end

-- An operand of a call: a tensor, or an FFI array of float or double as a whole.
function Tensor.of(role, operand)
    if getmetatable(operand) == Tensor then
        return operand
    elseif type(operand) ~= "cdata" then
        argument("%s: %s, expected a tensor or an FFI array", role, type(operand))
    end
    return Tensor.new(operand)
end

-- An operand that is written.
function Tensor.output(role, operand)
    local tensor = Tensor.of(role, operand)
    if tensor.constant then
        argument("%s: an array of const, expected one that can be written", role)
    end
    return tensor
end

function Tensor:__tostring()
    return ("tensor(%s, shape {%s}, strides %s, offset %d)"):format(self.dtype, table.concat(self.shape, ", "),
        self.strides and "{" .. table.concat(self.strides, ", ") .. "}" or "compact", self.offset)
end

return Tensor
