-- A reader of JSON for the tests: json.read(text); null is json.null.

local M = { null = setmetatable({}, { __tostring = function() return "null" end }) }

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local LITERALS = { ["true"] = true, ["false"] = false, ["null"] = M.null }
local value

local function fail(text, at, expected)
    error(("JSON, position %d: expected %s, found '%s'"):format(at, expected, text:sub(at, at + 10)), 0)
end

local function utf8(code)
    if code < 0x80 then
        return string.char(code)
    elseif code < 0x800 then
        return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
    end
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local function string_at(text, at)
    local close = at
    repeat
        close = text:find('["\\]', close + 1) or fail(text, at, "the end of a string")
        local escaped = text:sub(close, close) == "\\"
        close = escaped and close + 1 or close
    until not escaped
    local inner = text:sub(at + 1, close - 1)
    inner = inner:gsub("\\u(%x%x%x%x)", function(digits) return utf8(tonumber(digits, 16)) end)
    return inner:gsub("\\(.)", function(mark) return ESCAPES[mark] or mark end), close + 1
end

local function skip(text, at)
    return text:find("%S", at) or #text + 1
end

-- The entries of an array or an object; `entry` reads one of them and answers where it ends.
local function list(text, at, close, entry)
    at = skip(text, at + 1)
    if text:sub(at, at) == close then
        return at + 1
    end
    while true do
        at = skip(text, entry(at))
        local mark = text:sub(at, at)
        if mark == close then
            return at + 1
        elseif mark ~= "," then
            fail(text, at, "',' or '" .. close .. "'")
        end
        at = skip(text, at + 1)
    end
end

local function array(text, at)
    local result = {}
    return result, list(text, at, "]", function(start)
        result[#result + 1], start = value(text, start)
        return start
    end)
end

local function object(text, at)
    local result = {}
    return result, list(text, at, "}", function(start)
        local key, colon = string_at(text, start)
        colon = skip(text, colon)
        result[key], colon = value(text, colon + 1)
        return colon
    end)
end

function value(text, at)
    at = skip(text, at)
    local mark = text:sub(at, at)
    if mark == "{" then
        return object(text, at)
    elseif mark == "[" then
        return array(text, at)
    elseif mark == '"' then
        return string_at(text, at)
    end
    local word = text:match("^%a+", at)
    if word and LITERALS[word] ~= nil then
        return LITERALS[word], at + #word
    end
    local number = text:match("^[-+.%deE]+", at)
    return tonumber(number) or fail(text, at, "a value"), at + #number
end

function M.read(text)
    local result, at = value(text, 1)
    if skip(text, at) <= #text then
        fail(text, at, "the end")
    end
    return result
end

function M.read_file(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return M.read(text)
end

return M
