-- Objects that own a handle of the library: freed by the collector, or by destroy().

local ffi = require "ffi"

-- A class whose objects have `handle`, until they are destroyed; nil stands for NULL then, which the library
-- refuses by name.
return function(destroy)
    local class = {}
    class.__index = class

    -- `out` is the array of one pointer that a create function filled.
    function class.own(out, fields)
        local self = setmetatable(fields or {}, class)
        self.handle = ffi.gc(out[0], destroy)
        return self
    end

    -- Frees what the object holds now rather than when it is collected. A second time does nothing.
    function class:destroy()
        if self.handle ~= nil then
            destroy(ffi.gc(self.handle, nil))
            self.handle = nil
        end
    end

    return class
end
