-- Errors: tables with status, name and message, thrown by error(); tostring() gives a line.

local ffi = require "ffi"
local c = require "libsugar.ffi"

local Error = {}
Error.__index = Error

function Error:__tostring()
    return self.name .. ": " .. self.message
end

local M = { Error = Error }

function M.raise(status, message)
    local name = ffi.string(c.C.sugar_status_name(status))
    error(setmetatable({ status = status, name = name, message = message }, Error), 0)
end

-- An argument that this layer refuses itself.
function M.argument(format, ...)
    M.raise(c.SUGAR_ERROR_ARGUMENT, format:format(...))
end

-- Throws what the library says of its last call, if that failed.
function M.check(status)
    if status ~= c.SUGAR_OK then
        M.raise(status, ffi.string(c.C.sugar_last_error()))
    end
end

-- Refuses a table with keys that are not in `known`.
function M.check_keys(what, given, known)
    if type(given) ~= "table" then
        M.argument("%s: %s, expected a table", what, type(given))
    end
    for key in pairs(given) do
        if not known[key] then
            local names = {}
            for name in pairs(known) do
                names[#names + 1] = name
            end
            table.sort(names)
            M.argument("%s: unknown '%s', expected %s", what, tostring(key), table.concat(names, ", "))
        end
    end
end

-- Refuses what is no whole number from minimum to maximum.
function M.check_integer(what, value, minimum, maximum)
    if type(value) ~= "number" or value % 1 ~= 0 or value < minimum or value > maximum then
        M.argument("%s: %s, expected a whole number from %.0f to %.0f", what, tostring(value), minimum, maximum)
    end
    return value
end

return M
