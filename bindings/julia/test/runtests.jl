# All tests: `Pkg.test("LibSugar")`, or without Pkg `julia --project=bindings/julia bindings/julia/test/runtests.jl`.
# Only Test of the standard library is needed.

using LibSugar
using Test

const C = LibSugar.LowLevel
const BINDINGS = dirname(dirname(@__DIR__))

include("json.jl")

@testset "LibSugar" begin
    include("vectors.jl")
end
