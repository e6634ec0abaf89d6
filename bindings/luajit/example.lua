local ffi, sugar = require "ffi", require "libsugar"
local x = ffi.new("float[4]", -2, -0.5, 0.5, 2)
local dy = ffi.new("float[4]", 1, 1, 1, 1)
local activation = sugar.Activation "relu~bsilu"
local y = activation:forward(x, ffi.new "float[4]")         -- y  = max(x, 0)
local dx = activation:backward(x, dy, ffi.new "float[4]")   -- dx = dy * bsilu'(x)
for i = 0, 3 do
    print(("x %4.1f   y %.1f   dx %.4f"):format(x[i], y[i], dx[i]))
end
