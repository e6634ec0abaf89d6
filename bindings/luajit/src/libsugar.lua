-- libsugar for LuaJIT: activation functions with surrogate gradients over FFI arrays, without copies.
--
--     local sugar = require "libsugar"
--     local activation = sugar.Activation "relu~bsilu"
--     local y = activation:forward(x)          -- x: an FFI array of float or double, or a tensor
--     local dx = activation:backward(x, dy)
--
-- Failures are thrown: a table with status, name and message, which tostring() turns into a line.

local activation = require "libsugar.activation"
local catalogue = require "libsugar.catalogue"
local context = require "libsugar.context"
local monitor = require "libsugar.monitor"
local options = require "libsugar.options"
local tensor = require "libsugar.tensor"

return {
    Activation = activation.new,
    Context = context.new,
    Monitor = monitor.new,
    restore_monitor = monitor.restore,
    options = options.new,
    tensor = tensor.new,
    zeros = tensor.zeros,
    kinds = catalogue.kinds,
    levels = catalogue.levels,
    version = catalogue.version,
}
