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
using Serialization: AbstractSerializer, Serialization, serialize, deserialize

export Activation, Context, Monitor, SugarError
export backward, backward!, backward_twice, backward_twice!, forward, forward!, threads!
export dead, histogram, observe!, save, statistics
export catalogue, levels

include("lowlevel.jl")
const C = LowLevel
include("library.jl")
include("errors.jl")
include("bfloat16.jl")
include("tensors.jl")
include("contexts.jl")
include("options.jl")
include("activations.jl")
include("broadcast.jl")
include("monitors.jl")
include("catalogue.jl")
include("serialization.jl")
include("extension.jl")

function __init__()
    load_library()
    isdefined(Base, :get_extension) || wait_for_chain_rules()
end

end
