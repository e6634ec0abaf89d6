# y .= a.(x) as one call on whole arrays, where x has the elements of y; anything else goes element by element.

using Base.Broadcast: Broadcasted, DefaultArrayStyle

# An activation among the arguments of another function is one value.
Base.broadcastable(a::Activation) = Ref(a)

const Dotted{Style} = Broadcasted{Style,<:Any,Activation,<:Tuple{Any}}

Base.copyto!(y::AbstractArray, dotted::Dotted{DefaultArrayStyle{N}}) where {N} =
    broadcast_into!(y, dotted, dotted.f, dotted.args[1])
# Between the method above and Base's for no dimensions.
Base.copyto!(y::AbstractArray, dotted::Dotted{DefaultArrayStyle{0}}) = one_by_one!(y, dotted)

one_by_one!(y, dotted) = copyto!(y, convert(Broadcasted{Nothing}, dotted))

function broadcast_into!(y::AbstractArray{T}, dotted, a, x::AbstractArray{T}) where {T}
    is_element(T) && is_strided(x) && is_strided(y) || return one_by_one!(y, dotted)
    source = same_view(x, y) || !Base.mightalias(y, x) ? x : copy(x)
    from, to = Tensor(source, size(y)), Tensor(y)
    options = call_options(T, size(y))
    GC.@preserve a source y from to options begin
        check(C.sugar_forward(a.handle, address(from), address(to), address(options)))
    end
    return y
end

# What is computed below the dot goes into y, and then through the function in place.
function broadcast_into!(y::AbstractArray{T}, dotted, a, x::Broadcasted) where {T}
    whole = is_element(T) && is_strided(y) && Base.Broadcast.combine_eltypes(identity, (x,)) === T
    whole || return one_by_one!(y, dotted)
    Base.Broadcast.materialize!(y, x)
    return forward!(y, a, y)
end

broadcast_into!(y, dotted, a, x) = one_by_one!(y, dotted)

same_view(x, y) = size(x) == size(y) && address(x) == address(y) && element_strides(x) == element_strides(y)
