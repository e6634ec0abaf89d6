# The keywords of a call as its sugar_call_options.

"`sugar_call_options` with all that they lead to, at one address; `keep` holds what must live as long."
mutable struct Options{Kept}
    head::C.sugar_call_options
    random::C.sugar_random
    context::Union{Nothing,Context}
    keep::Kept
end

address(options::Options) = Ptr{C.sugar_call_options}(pointer_from_objref(options))

"""
The options of a call on arrays of type `T` and of a shape; `nothing` where all are the defaults.
"""
function call_options(::Type{T}, shape::Dims; threads = nothing, accumulate::Bool = false, from_output::Bool = false,
                      stream = nothing, monitor = nothing, parameter = nothing, parameter_gradient = nothing,
                      saved_gradient = nothing, random = nothing) where {T}
    flags = stream_flag(stream) | (accumulate ? C.SUGAR_CALL_ACCUMULATE : Int32(0)) |
        (from_output ? C.SUGAR_CALL_FROM_OUTPUT : Int32(0))
    used = context(threads)
    flags == 0 && used === monitor === parameter === parameter_gradient === saved_gradient === random === nothing &&
        return nothing
    values = parameter isa Number ? fill(convert(T, parameter)) : parameter
    tensors = (repeated(values, shape), repeated(parameter_gradient, shape), tensor(saved_gradient))
    options = Options(C.sugar_call_options(), draw(random), used,
                      (monitor, values, parameter_gradient, saved_gradient, tensors))
    numbers = Ptr{C.sugar_random}(pointer_from_objref(options) + fieldoffset(typeof(options), 2))
    options.head = C.sugar_call_options(
        flags = flags, context = handle(used), monitor = handle(monitor), parameter = address(tensors[1]),
        parameter_gradient = address(tensors[2]), saved_gradient = address(tensors[3]),
        random = random === nothing ? C_NULL : numbers)
    return options
end

stream_flag(::Nothing) = Int32(0)
stream_flag(stream::Bool) = stream ? C.SUGAR_CALL_STREAM : C.SUGAR_CALL_NO_STREAM

repeated(x, shape) = x === nothing ? nothing : Tensor(x, shape)
tensor(x) = x === nothing ? nothing : Tensor(x)
handle(x) = x === nothing ? C_NULL : x.handle

draw(::Nothing) = C.sugar_random()
draw(seed::Integer) = draw((seed, 0))
draw(numbers::Tuple{Integer,Integer}) = C.sugar_random(seed = numbers[1] % UInt64, offset = numbers[2] % UInt64)
