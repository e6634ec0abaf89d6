# Arrays as the library's tensors: an address, extents and steps, never a copy.
#
# The dimensions are handed over in reverse, so that the library's row-major order is the order in which Julia counts
# elements, and a dense Array is a compact tensor.

const FLOAT_TYPES = "Float16, Float32, Float64 or BFloat16"

"""
    LibSugar.datatype(T)

The library's `sugar_data_type` of elements of type `T`; an `ArgumentError` if it has none.
"""
datatype(::Type{Float16}) = C.sugar_data_type(C.SUGAR_TYPE_FLOAT, 16, 1)
datatype(::Type{Float32}) = C.sugar_data_type(C.SUGAR_TYPE_FLOAT, 32, 1)
datatype(::Type{Float64}) = C.sugar_data_type(C.SUGAR_TYPE_FLOAT, 64, 1)
datatype(::Type{UInt8}) = C.sugar_data_type(C.SUGAR_TYPE_UNSIGNED, 8, 1)
datatype(::Type{T}) where {T} = is_bfloat16(T) ? C.sugar_data_type(C.SUGAR_TYPE_BFLOAT, 16, 1) :
    throw(ArgumentError("elements of type $T, expected $FLOAT_TYPES"))

is_bfloat16(::Type{T}) where {T} = isprimitivetype(T) && sizeof(T) == 2 && nameof(T) === :BFloat16
is_element(::Type{T}) where {T} = T <: Union{Float16,Float32,Float64} || is_bfloat16(T)

"The steps between an array's elements; an `ArgumentError` if they lie in memory in no such way."
element_strides(x::StridedArray) = strides(x)

function element_strides(x::AbstractArray)
    # Older versions of Julia lack this one.
    x isa Base.ReinterpretArray && sizeof(eltype(x)) == sizeof(eltype(parent(x))) && return element_strides(parent(x))
    try
        pointer(x)
        return strides(x)
    catch
        throw(ArgumentError("an array of type $(typeof(x)), expected one whose elements lie in memory at regular " *
                            "steps, such as an Array or a view of ranges; collect(x) makes one"))
    end
end

is_strided(::StridedArray) = true

function is_strided(x::AbstractArray)
    try
        element_strides(x)
        return true
    catch
        return false
    end
end

address(x::AbstractArray) = Ptr{Cvoid}(pointer(x))

"A `sugar_tensor` with the extents and steps that it leads to, at one address."
mutable struct Tensor{N}
    head::C.sugar_tensor
    shape::NTuple{N,Int64}
    strides::NTuple{N,Int64}

    @inline function Tensor(data::Ptr{Cvoid}, type::C.sugar_data_type, shape::NTuple{N,Int64},
                            strides::NTuple{N,Int64}) where {N}
        tensor = new{N}(C.sugar_tensor(), reverse(shape), reverse(strides))
        base = pointer_from_objref(tensor)
        tensor.head = C.sugar_tensor(data, C.sugar_device(C.SUGAR_DEVICE_CPU, 0), N, type,
                                     base + fieldoffset(Tensor{N}, 2), base + fieldoffset(Tensor{N}, 3), 0)
        return tensor
    end
end

"The array as a tensor. Whoever uses it keeps both alive."
@inline function Tensor(x::AbstractArray{T}) where {T}
    steps = element_strides(x)
    return Tensor(address(x), datatype(T), size(x), steps)
end

"The array repeated to a shape, as in broadcasting: by steps of 0."
@inline function Tensor(x::AbstractArray{T}, shape::Dims{N}) where {T,N}
    size(x) == shape && return Tensor(x)
    check_broadcast(x, shape)
    steps = element_strides(x)
    return Tensor(address(x), datatype(T), shape, ntuple(d -> size(x, d) == 1 ? 0 : steps[d], Val(N)))
end

"""
The array with as many dimensions as a shape, to which it can be broadcast; those that it lacks have an extent of 1. So
the library takes a parameter, of which the elements of an array share values.
"""
@inline function shared(x::AbstractArray{T}, shape::Dims{N}) where {T,N}
    check_broadcast(x, shape)
    steps = element_strides(x)
    return Tensor(address(x), datatype(T), ntuple(d -> size(x, d), Val(N)),
                  ntuple(d -> d <= ndims(x) ? steps[d] : 1, Val(N)))
end

function check_broadcast(x, shape)
    fits = ndims(x) <= length(shape) && all(d -> size(x, d) == shape[d] || size(x, d) == 1, 1:ndims(x))
    fits || throw(DimensionMismatch("an array of size $(size(x)), expected one that can be repeated to $shape"))
end

"A `BitArray` as a tensor of elements of one bit, which no other array of `Bool` has."
function packed(x::BitArray{N}) where {N}
    steps = ntuple(d -> prod(size(x)[1:d-1]), Val(N))
    return Tensor(Ptr{Cvoid}(pointer(x.chunks)), C.sugar_data_type(C.SUGAR_TYPE_UNSIGNED, 1, 1), size(x), steps)
end

address(tensor::Tensor) = Ptr{C.sugar_tensor}(pointer_from_objref(tensor))
address(::Nothing) = C_NULL
