# The rules for automatic differentiation against finite differences, through a stand-in for the package ChainRulesCore:
# no registry is needed, and the very file of rules is run that ChainRulesCore would be given.

"A stand-in with what src/rules.jl uses of ChainRulesCore; not the package."
module StandInForChainRulesCore
    include("stand_in.jl")
end

const Rules = StandInForChainRulesCore
LibSugar.define_rules(Rules)

"The derivative of f at x by central differences."
slope_of(f, x; step = 1e-6) = (f(x + step) - f(x - step)) / 2step

@testset "rules (stand-in for ChainRulesCore)" begin
    for spec in ("silu", "gelu", "tanh", "softplus", "relu~silu")
        a = Activation(spec)
        # The surrogate is differentiated where there is one.
        differentiated = Activation(split(spec, '~')[end])
        x, dy = randn(4, 5), randn(4, 5)
        expected = dy .* slope_of.(differentiated, x)
        y, pullback = Rules.rrule(a, x)
        @test identical(y, a(x))
        none, dx = pullback(dy)
        @test none isa Rules.NoTangent
        @test isapprox(Rules.unthunk(dx), expected; rtol = 1e-7)
        @test Rules.unthunk(pullback(Rules.Thunk(() -> dy))[2]) == Rules.unthunk(dx)
        @test pullback(Rules.ZeroTangent())[2] isa Rules.ZeroTangent
        y, pullback = Rules.rrule(Base.Broadcast.broadcasted, a, x)
        @test identical(y, a.(x))
        @test pullback(dy)[2] isa Rules.NoTangent
        @test Rules.unthunk(pullback(dy)[3]) == Rules.unthunk(dx)
        y, tangent = Rules.frule((Rules.NoTangent(), dy), a, x)
        @test identical(y, a(x)) && tangent == Rules.unthunk(dx)
        for zero in (Rules.ZeroTangent(), Rules.NoTangent(), Rules.Thunk(() -> Rules.ZeroTangent()))
            y, tangent = Rules.frule((Rules.NoTangent(), zero), a, x)
            @test identical(y, a(x)) && tangent === Rules.unthunk(zero)
        end
        y, pullback = Rules.rrule(a, 0.7)
        @test y === a(0.7)
        @test isapprox(Rules.unthunk(pullback(2.0)[2]), 2slope_of(differentiated, 0.7); rtol = 1e-7)
    end
    # Gradients that are no arrays in memory, or of other elements; inputs that are views.
    a = Activation("silu")
    x = view(randn(Float32, 8), 8:-2:1)
    pullback = Rules.rrule(a, x)[2]
    @test identical(Rules.unthunk(pullback(1.0:4.0)[2]), backward(a, x, Float32[1, 2, 3, 4]))
    @test identical(Rules.unthunk(pullback(1f0:4f0)[2]), backward(a, x, Float32[1, 2, 3, 4]))
end
