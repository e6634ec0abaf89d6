# Activations: made from a spec, called on arrays and numbers.

"""
    Activation(spec; level = nothing, table = nothing)

An activation function with the derivative that its backward pass uses, from a spec such as `"silu"`,
`"relu~bsilu(alpha=1.67)"` or `"heaviside~atan_spike"`: see [`catalogue`](@ref) for the names, and
`LibSugar.LowLevel.sugar_activation_create` for the whole form. `level` names an instruction set
([`levels`](@ref)); `nothing`: the best. `table` holds `(knot, value, slope)` for each knot of the function that the
spec calls `table`, a cubic Hermite spline.

    a(x)        the values for an array, into a new one, or for a number
    a.(x)       the same bits; y .= a.(x) writes into y, x .= a.(x) in place

Its fields are `spec` in canonical form and `level`; [`LibSugar.info`](@ref) has the rest. It never changes and may be
used by any number of threads at a time. Freed when nothing refers to it; `close` does it at once.
"""
mutable struct Activation
    handle::Ptr{C.sugar_activation}
    spec::String
    level::String
    table::Vector{NTuple{3,Float64}}
end

function Activation(spec::AbstractString; level::Union{Nothing,AbstractString} = nothing, table = nothing)
    text = String(spec)
    name = level === nothing ? nothing : String(level)
    rows = NTuple{3,Float64}[knot(row) for row in something(table, ())]
    handle = Ref{Ptr{C.sugar_activation}}(C_NULL)
    GC.@preserve name rows begin
        options = C.sugar_activation_options(
            level = name === nothing ? Cstring(C_NULL) : Base.unsafe_convert(Cstring, name),
            table = isempty(rows) ? C_NULL : Ptr{Float64}(pointer(rows)), table_knots = length(rows))
        check(C.sugar_activation_create_with_options(handle, text, sizeof(text), Ref(options)))
    end
    return finalizer(close, Activation(handle[], unsafe_string(C.sugar_activation_spec(handle[])),
                                       unsafe_string(C.sugar_activation_level(handle[])), rows))
end

"A row of a table."
function knot(row)
    length(row) == 3 || throw(ArgumentError("table: a row of $(length(row)) numbers, expected (knot, value, slope)"))
    return NTuple{3,Float64}(Tuple(row))
end

function Base.close(activation::Activation)
    C.sugar_activation_destroy(activation.handle)
    activation.handle = C_NULL
    return
end

Base.:(==)(a::Activation, b::Activation) = a.spec == b.spec && a.level == b.level
Base.hash(a::Activation, h::UInt) = hash(a.spec, hash(a.level, h))
Base.deepcopy_internal(a::Activation, ::IdDict) = a
Base.show(io::IO, a::Activation) = print(io, "Activation(", repr(a.spec), ")")

# ---- Arrays

"""
    forward!(y, a, x; threads, nontemporal, monitor, parameter, saved_gradient, random, bias, gate)

Writes the values of `a` for every element of `x` into `y`, which may be `x` itself, and returns `y`. Both are arrays
or views of any strides with elements of one type (Float16, Float32, Float64, BFloat16); nothing is copied.

- `threads`: a number (0: as many as the process may use), a [`Context`](@ref), or `nothing` for what
  [`threads!`](@ref) has set
- `nontemporal`: whether to store past the caches; `nothing`: where it pays
- `monitor`: a [`Monitor`](@ref) that counts `x` in passing
- `parameter`: the forward function's parameter, in place of the spec's: a number, or an array that is repeated to the
  shape of `x` as in broadcasting
- `saved_gradient`: receives the derivative for a later `backward!` without `x`: an array of `UInt8` (one byte per
  element) or a `BitArray` (one bit), of the size of `x`
- `random`: a seed, or `(seed, offset)`: `rrelu` draws a slope for each element, counted in the order of `eachindex`
- `bias`: added to `x`, in a shape like that of `parameter`, or a number; of `Float32` too beside elements of 16 bits,
  as `parameter` may be
- `gate`: what the values are multiplied by: an array that is repeated to the shape of `x` as in broadcasting

Throws a [`SugarError`](@ref) with the library's message.
"""
function forward!(y::AbstractArray, a::Activation, x::AbstractArray{T}; keywords...) where {T}
    options = call_options(T, size(x); keywords...)
    from, to = Tensor(x), Tensor(y)
    GC.@preserve a x y from to options begin
        check(C.sugar_forward(a.handle, address(from), address(to), address(options)))
    end
    return y
end

"""
    forward(a, x; keywords...)

As [`forward!`](@ref), into a new array. `a(x)` is the same.
"""
forward(a::Activation, x::AbstractArray; keywords...) = forward!(similar(x), a, x; keywords...)

"""
    backward!(dx, a, x, dy; threads, accumulate, from_output, nontemporal, parameter, parameter_gradient,
              saved_gradient, random, bias, bias_gradient, gate, gate_gradient)

Writes `dy` times the derivative of `a` at `x` into `dx`, which may be `x` or `dy` itself, and returns `dx`. `dy` is an
array that is repeated to the shape of `dx` as in broadcasting, or a number.

- `threads`, `nontemporal`, `parameter`, `random`, `bias`, `gate`: as for [`forward!`](@ref)
- `accumulate`: adds to what `dx` (and `parameter_gradient`) holds
- `from_output`: `x` is the output of the forward pass
- `parameter_gradient`: receives the gradient with respect to the parameter: an array that broadcasting would repeat to
  the shape of `dx`; where it would, the gradient is summed
- `saved_gradient`: what `forward!` has saved; `x` is then `nothing`
- `bias_gradient`: receives the gradient with respect to a bias, summed as that of a parameter
- `gate_gradient`: receives that of a gate, an array of the shape of `dx`
"""
function backward!(dx::AbstractArray{T}, a::Activation, x::Union{Nothing,AbstractArray},
                   dy::Union{Number,AbstractArray}; keywords...) where {T}
    options = call_options(T, size(dx); keywords...)
    gradient = array(T, dy)
    from, given, to = tensor(x), Tensor(gradient, size(dx)), Tensor(dx)
    GC.@preserve a x gradient dx from given to options begin
        check(C.sugar_backward(a.handle, address(from), address(given), address(to), address(options)))
    end
    return dx
end

"""
    backward(a, x, dy; keywords...)

As [`backward!`](@ref), into a new array; `backward(a, x, 1)` is the derivative at `x`. For numbers `x` and `dy` too.
"""
backward(a::Activation, x::AbstractArray, dy::Union{Number,AbstractArray}; keywords...) =
    backward!(similar(x), a, x, dy; keywords...)
backward(a::Activation, ::Nothing, dy::AbstractArray; keywords...) =
    backward!(similar(dy), a, nothing, dy; keywords...)

"""
    backward_twice!(ddy, dx, a, x, dy, v; threads, accumulate, nontemporal)

The backward pass of `backward!` itself: from `v`, the gradient that reaches its `dx`, the one that goes on to its `dy`,
`v` times the derivative of `a` at `x`, into `ddy`; and the one that goes on to its `x`, `v` times `dy` times the second
derivative, into `dx`. Both are returned. One of them may be `nothing`; each may be `x`, `dy` or `v` itself. `dy` and
`v` are arrays that are repeated to the shape of `x` as in broadcasting, or numbers.
"""
function backward_twice!(ddy::Union{Nothing,AbstractArray}, dx::Union{Nothing,AbstractArray}, a::Activation,
                         x::AbstractArray{T}, dy::Union{Number,AbstractArray}, v::Union{Number,AbstractArray};
                         keywords...) where {T}
    options = call_options(T, size(x); keywords...)
    gradient, reached = array(T, dy), array(T, v)
    from, given, arrived = Tensor(x), Tensor(gradient, size(x)), Tensor(reached, size(x))
    to_ddy, to_dx = tensor(ddy), tensor(dx)
    GC.@preserve a x gradient reached ddy dx from given arrived to_ddy to_dx options begin
        check(C.sugar_backward_twice(a.handle, address(from), address(given), address(arrived), address(to_ddy),
                                     address(to_dx), address(options)))
    end
    return ddy, dx
end

"""
    backward_twice(a, x, dy, v; keywords...)

As [`backward_twice!`](@ref), into two new arrays.
"""
backward_twice(a::Activation, x::AbstractArray, dy::Union{Number,AbstractArray}, v::Union{Number,AbstractArray};
               keywords...) = backward_twice!(similar(x), similar(x), a, x, dy, v; keywords...)

(a::Activation)(x::AbstractArray) = forward!(similar(x), a, x)

# ---- Numbers: vectors of one element, in place

(a::Activation)(x::Union{Integer,Rational,AbstractIrrational}) = a(Float64(x))

function (a::Activation)(x::T) where {T<:AbstractFloat}
    cell = Ref(x)
    GC.@preserve a cell begin
        at = Ptr{Cvoid}(Base.unsafe_convert(Ptr{T}, cell))
        check(forward_one(T, a.handle, at))
    end
    return cell[]
end

function backward(a::Activation, x::T, dy::Real) where {T<:AbstractFloat}
    point, cell = Ref(x), Ref(convert(T, dy))
    GC.@preserve a point cell begin
        from = Ptr{Cvoid}(Base.unsafe_convert(Ptr{T}, point))
        at = Ptr{Cvoid}(Base.unsafe_convert(Ptr{T}, cell))
        check(backward_one(T, a.handle, from, at))
    end
    return cell[]
end

backward(a::Activation, x::Union{Integer,Rational,AbstractIrrational}, dy::Real) = backward(a, Float64(x), dy)

for (T, forward_vector, backward_vector) in ((Float16, :sugar_forward_f16, :sugar_backward_f16),
                                             (Float32, :sugar_forward_f32, :sugar_backward_f32),
                                             (Float64, :sugar_forward_f64, :sugar_backward_f64))
    @eval forward_one(::Type{$T}, handle, at) = C.$forward_vector(handle, 1, at, 1, at, 1, C_NULL)
    @eval backward_one(::Type{$T}, handle, from, at) = C.$backward_vector(handle, 1, from, 1, at, 1, at, 1, C_NULL)
end

forward_one(::Type{T}, handle, at) where {T} =
    (datatype(T); C.sugar_forward_bf16(handle, 1, at, 1, at, 1, C_NULL))
backward_one(::Type{T}, handle, from, at) where {T} =
    (datatype(T); C.sugar_backward_bf16(handle, 1, from, 1, at, 1, at, 1, C_NULL))
