# A stand-in with what src/rules.jl uses of ChainRulesCore, to be included in a module; not the package.

function rrule end
function frule end
abstract type AbstractZero end
struct NoTangent <: AbstractZero end
struct ZeroTangent <: AbstractZero end
struct Thunk
    compute
end
macro thunk(body)
    return :(Thunk(() -> $(esc(body))))
end
unthunk(x) = x
unthunk(thunk::Thunk) = thunk.compute()
ProjectTo(x::AbstractArray) = dx -> reshape(dx, size(x))
ProjectTo(x::Real) = dx -> oftype(x, dx)
