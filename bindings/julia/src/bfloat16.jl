# The type of bfloat16 elements, for those who have no other.

"""
    BFloat16(x)

The upper 16 bits of a `Float32`, rounded to nearest, ties to even: a type for the elements of arrays, which converts
to and from other numbers and compares. To compute, convert it: `Float32(x)`. Any other 16-bit type named `BFloat16`,
such as that of the package BFloat16s or `Core.BFloat16`, is taken for arrays as well.
"""
primitive type BFloat16 <: AbstractFloat 16 end

function BFloat16(x::Float32)
    bits = reinterpret(UInt32, x)
    isnan(x) && return reinterpret(BFloat16, (bits >> 16) % UInt16 | 0x0040)
    return reinterpret(BFloat16, ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) % UInt16)
end

BFloat16(x::Real) = BFloat16(round_to_odd(x))
BFloat16(x::BFloat16) = x
Base.Float32(x::BFloat16) = reinterpret(Float32, UInt32(reinterpret(UInt16, x)) << 16)
Base.Float64(x::BFloat16) = Float64(Float32(x))
Base.Float16(x::BFloat16) = Float16(Float32(x))
Base.promote_rule(::Type{BFloat16}, ::Type{T}) where {T<:Union{Float32,Float64}} = T
Base.promote_rule(::Type{BFloat16}, ::Type{Float16}) = Float32
Base.promote_rule(::Type{BFloat16}, ::Type{<:Integer}) = BFloat16

for compare in (:(==), :<, :<=, :isequal, :isless)
    @eval Base.$compare(x::BFloat16, y::BFloat16) = $compare(Float32(x), Float32(y))
end
Base.isnan(x::BFloat16) = isnan(Float32(x))
Base.isinf(x::BFloat16) = isinf(Float32(x))
Base.isfinite(x::BFloat16) = isfinite(Float32(x))
Base.signbit(x::BFloat16) = signbit(Float32(x))
Base.:-(x::BFloat16) = reinterpret(BFloat16, reinterpret(UInt16, x) ⊻ 0x8000)
Base.hash(x::BFloat16, h::UInt) = hash(Float32(x), h)
Base.show(io::IO, x::BFloat16) = print(io, "BFloat16(", Float32(x), ")")

"A Float32 that rounds to bfloat16 as x itself would: rounded towards zero, and odd where that was not exact."
function round_to_odd(x::Real)
    nearest = Float32(x)
    (isnan(nearest) || isinf(nearest) || nearest == x) && return nearest
    towards_zero = abs(nearest) > abs(x) ? (nearest > 0 ? prevfloat(nearest) : nextfloat(nearest)) : nearest
    return reinterpret(Float32, reinterpret(UInt32, towards_zero) | 0x00000001)
end
