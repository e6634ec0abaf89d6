# Rules for automatic differentiation, in a module that has LibSugar and ChainRulesCore.

using .LibSugar: Activation, backward, is_strided

"The gradient as an array of the elements of x that lies in memory."
in_memory(x::AbstractArray{T}, dy::AbstractArray{T}) where {T} = is_strided(dy) ? dy : collect(dy)
in_memory(x::AbstractArray{T}, dy::AbstractArray) where {T} = convert(Array{T}, dy)
in_memory(x, dy::Number) = dy

"The gradient of x, when it is asked for; none where there is none of y."
function pull(a::Activation, x, gradient)
    dy = ChainRulesCore.unthunk(gradient)
    dy isa ChainRulesCore.AbstractZero && return dy
    project = ChainRulesCore.ProjectTo(x)
    return ChainRulesCore.@thunk project(backward(a, x, in_memory(x, dy)))
end

function ChainRulesCore.rrule(a::Activation, x::Union{Real,AbstractArray})
    pullback(gradient) = (ChainRulesCore.NoTangent(), pull(a, x, gradient))
    return a(x), pullback
end

# a.(x)
function ChainRulesCore.rrule(::typeof(Base.Broadcast.broadcasted), a::Activation, x::AbstractArray)
    pullback(gradient) = (ChainRulesCore.NoTangent(), ChainRulesCore.NoTangent(), pull(a, x, gradient))
    return a(x), pullback
end

function ChainRulesCore.frule((_, dx), a::Activation, x::Union{Real,AbstractArray})
    tangent = ChainRulesCore.unthunk(dx)
    tangent isa ChainRulesCore.AbstractZero && return a(x), tangent
    return a(x), backward(a, x, in_memory(x, tangent))
end
