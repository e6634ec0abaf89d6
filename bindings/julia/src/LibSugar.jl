"""
Activation functions with surrogate gradients, in one pass over memory: libsugar from Julia.

    a = Activation("relu~bsilu(alpha=1.67)")
    y = a(x)                            # or a.(x): an array or view of any strides, without a copy
    dx = backward(a, x, dy)
    forward!(y, a, x); backward!(dx, a, x, dy)

See [`Activation`](@ref), [`forward!`](@ref), [`backward!`](@ref), [`Context`](@ref), [`Monitor`](@ref),
[`catalogue`](@ref), [`levels`](@ref); `LibSugar.LowLevel` holds the C functions under their own names.
"""
module LibSugar

using Libdl

include("lowlevel.jl")
const C = LowLevel
include("library.jl")
include("errors.jl")

function __init__()
    load_library()
end

end
