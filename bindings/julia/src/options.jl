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
function call_options(::Type{T}, shape::Dims; threads = nothing, accumulate = false, from_output = false,
                      nontemporal = nothing, monitor = nothing, parameter = nothing, parameter_gradient = nothing,
                      saved_gradient = nothing, random = nothing, bias = nothing, bias_gradient = nothing,
                      gate = nothing, gate_gradient = nothing, unknown...) where {T}
    isempty(unknown) || refuse(first(keys(unknown)), first(values(unknown)), "one of the keywords $KEYWORDS")
    flags = nontemporal_flag(nontemporal) | flag(:accumulate, accumulate, C.SUGAR_CALL_ACCUMULATE) |
        flag(:from_output, from_output, C.SUGAR_CALL_FROM_OUTPUT)
    used = context(threads)
    flags == 0 && used === monitor === parameter === parameter_gradient === saved_gradient === random === bias ===
        bias_gradient === gate === gate_gradient === nothing && return nothing
    parameters, biases = array(T, parameter), array(T, bias)
    tensors = (shared(:parameter, parameters, shape, "a number or an array"),
               shared(:parameter_gradient, parameter_gradient, shape, "an array"), saved(saved_gradient),
               shared(:bias, biases, shape, "a number or an array"),
               shared(:bias_gradient, bias_gradient, shape, "an array"), whole(:gate, gate, shape),
               whole(:gate_gradient, gate_gradient))
    options = Options(C.sugar_call_options(), draw(random), used,
                      (monitor, parameters, parameter_gradient, saved_gradient, biases, bias_gradient, gate,
                       gate_gradient, tensors))
    numbers = Ptr{C.sugar_random}(pointer_from_objref(options) + fieldoffset(typeof(options), 2))
    options.head = C.sugar_call_options(
        flags = flags, context = handle(:threads, used, Context), monitor = handle(:monitor, monitor, Monitor),
        parameter = address(tensors[1]), parameter_gradient = address(tensors[2]),
        saved_gradient = address(tensors[3]), random = random === nothing ? C_NULL : numbers,
        bias = address(tensors[4]), bias_gradient = address(tensors[5]), gate = address(tensors[6]),
        gate_gradient = address(tensors[7]))
    return options
end

flag(option, set::Bool, bit) = set ? bit : Int32(0)
flag(option, set, bit) = refuse(option, set, "true or false")

nontemporal_flag(::Nothing) = Int32(0)
nontemporal_flag(nontemporal::Bool) = nontemporal ? C.SUGAR_CALL_NONTEMPORAL : C.SUGAR_CALL_TEMPORAL
nontemporal_flag(nontemporal) = refuse(:nontemporal, nontemporal, "true, false or nothing")

tensor(x) = x === nothing ? nothing : Tensor(x)
shared(option, x, shape, expected) =
    x === nothing ? nothing : x isa AbstractArray ? shared(x, shape) : refuse(option, x, expected)

"A number as an array that holds it."
array(::Type{T}, x) where {T} = x isa Number ? fill(convert(T, x)) : x

"An operand of the shape of x; with a shape, one that is repeated to it."
whole(option, x, shape...) =
    x === nothing ? nothing : x isa AbstractArray ? Tensor(x, shape...) : refuse(option, x, "an array")

saved(::Nothing) = nothing
saved(x::AbstractArray{UInt8}) = Tensor(x)
saved(x::BitArray) = packed(x)
saved(x) = refuse(:saved_gradient, x, "an array of UInt8 or a BitArray")

"What an option leads to. A closed one would be taken for none."
function handle(option, x, kind)
    x === nothing && return C_NULL
    x isa kind || refuse(option, x, "a $(nameof(kind))")
    x.handle == C_NULL && throw(ArgumentError("$option is a $(nameof(kind)) that is closed, expected an open one"))
    return x.handle
end

const SEEDS = "from 0 to $(typemax(UInt64))"

draw(::Nothing) = C.sugar_random()
draw(seed::Integer) = draw((seed, 0))
draw(random) = refuse(:random, random, "a seed or (seed, offset), each a whole number $SEEDS")

function draw(numbers::Tuple{Integer,Integer})
    all(number -> 0 <= number <= typemax(UInt64), numbers) || refuse(:random, numbers, "(seed, offset), each $SEEDS")
    return C.sugar_random(seed = numbers[1], offset = numbers[2])
end

const KEYWORDS = "threads, accumulate, from_output, nontemporal, monitor, parameter, parameter_gradient, " *
    "saved_gradient, random, bias, bias_gradient, gate, gate_gradient"

"Refuses what was given as an option: a number by its value, anything else by its type."
@noinline refuse(option, found, expected) =
    throw(ArgumentError(string(option, found isa Union{Number,Tuple} ? " = $found" : " is of type $(typeof(found))",
                               ", expected ", expected)))
