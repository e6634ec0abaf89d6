# All tests: `Pkg.test("LibSugar")`, or without Pkg `julia --project=bindings/julia bindings/julia/test/runtests.jl`.
# Only the standard library is needed.

using LibSugar
using Serialization
using Test

const C = LibSugar.LowLevel
const BINDINGS = dirname(dirname(@__DIR__))

# What tests need at the top: a type as another package would have it, what counts handles that are freed, and tasks.
module Elsewhere
    primitive type BFloat16 <: AbstractFloat 16 end
end

const FREED = Ref(0)
const LIBRARY_DESTROY = Ref(C_NULL)

function counted_destroy(handle::Ptr{Cvoid})::Cvoid
    FREED[] += 1
    ccall(LIBRARY_DESTROY[], Cvoid, (Ptr{Cvoid},), handle)
    return
end

const TASKS = Ref(0)

function counted_parallel_for(payload::Ptr{Cvoid}, task::Ptr{Cvoid}, work::Ptr{Cvoid}, count::Int64)::Cvoid
    TASKS[] += count
    LibSugar.run_on_julia(payload, task, work, count)
    return
end

"The error that a call throws."
function refused(call)
    try
        call()
    catch failure
        return failure
    end
    return nothing
end

@noinline made_and_dropped(make) = (foreach(_ -> make(), 1:10); nothing)

include("json.jl")

@testset "LibSugar" begin
    include("vectors.jl")
    include("lowlevel.jl")
    include("arrays.jl")
    include("options.jl")
    include("objects.jl")
    include("rules.jl")
end
