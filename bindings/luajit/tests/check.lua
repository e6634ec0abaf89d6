-- Tests: check.case(name, function) runs one, check.equal and check.fails compare, check.finish() ends the program.

local M = {}
local passed, failed = 0, 0

function M.case(name, test)
    local succeeded, message = xpcall(test, function(e) return debug.traceback(tostring(e), 2) end)
    if succeeded then
        passed = passed + 1
    else
        failed = failed + 1
        print(("FAILED: %s: %s"):format(name, message))
    end
end

function M.equal(found, expected, what)
    if found ~= expected then
        error(("%s: %s, expected %s"):format(what or "value", tostring(found), tostring(expected)), 2)
    end
end

-- The call fails with an error of this status, whose message has `part`.
function M.fails(status, part, call, ...)
    local succeeded, e = pcall(call, ...)
    if succeeded then
        error("no error, expected " .. part, 2)
    elseif type(e) ~= "table" or e.status ~= status or not e.message:find(part, 1, true) or
            tostring(e) ~= e.name .. ": " .. e.message then
        error(("error '%s', expected status %d and '%s'"):format(tostring(e), status, part), 2)
    end
end

function M.finish()
    print(("%d passed, %d failed"):format(passed, failed))
    os.exit(failed == 0 and passed > 0 and 0 or 1)
end

return M
