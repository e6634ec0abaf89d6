# Errors, handles, and what is said of them.

@testset "errors" begin
    failure = refused(() -> Activation("relu~rleu"))
    @test failure isa SugarError
    @test failure.status == C.SUGAR_ERROR_SPEC
    @test failure.message == unsafe_string(C.sugar_last_error())
    @test occursin("'rleu'", failure.message)
    @test sprint(showerror, failure) == "SugarError: $(failure.message) (SUGAR_ERROR_SPEC)"
    @test refused(() -> Activation("relu"; level = "none")).status == C.SUGAR_ERROR_UNSUPPORTED
    @test refused(() -> Activation("relu\0")).status == C.SUGAR_ERROR_SPEC
    a = Activation("relu")
    x = randn(Float32, 4)
    @test refused(() -> forward!(zeros(Float32, 5), a, x)).status == C.SUGAR_ERROR_ARGUMENT
    @test refused(() -> forward!(zeros(4), a, x)).status == C.SUGAR_ERROR_ARGUMENT
    @test refused(() -> forward!(view(x, 2:4), a, view(x, 1:3))).status == C.SUGAR_ERROR_OVERLAP
    @test refused(() -> forward(a, x; parameter = 1)) isa SugarError
    bytes = zeros(UInt8, 17)
    @test refused(() -> a(reinterpret(Float32, view(bytes, 2:17)))) isa Union{SugarError,ArgumentError}
    for wrong in ([1, 2], [1im], view(x, [1, 3]), 1.0:3.0, [big"1.0"])
        @test refused(() -> a(wrong)) isa ArgumentError
    end
    @test occursin("Int64, expected Float16", sprint(showerror, refused(() -> a([1, 2]))))
    @test occursin("regular steps", sprint(showerror, refused(() -> a(view(x, [1, 3])))))
    @test_throws ArgumentError a(big"1.0")
    @test_throws DimensionMismatch backward(a, x, zeros(Float32, 3))
end

@testset "the library that is found" begin
    inside = joinpath(dirname(dirname(pathof(LibSugar))), "lib", LibSugar.soname())
    withenv("SUGAR_LIBRARY" => nothing) do
        @test LibSugar.library_path() == (isfile(inside) ? inside : LibSugar.soname())
    end
    withenv("SUGAR_LIBRARY" => "/nowhere/libsugar.so") do
        @test LibSugar.library_path() == "/nowhere/libsugar.so"
        failure = refused(LibSugar.load_library)
        @test failure isa ErrorException
        @test occursin("'/nowhere/libsugar.so' cannot be used", failure.msg)
    end
    @test isempty(detect_ambiguities(LibSugar, Base.Broadcast, Base))
end

@testset "activations" begin
    a = Activation("swish ~ bsilu( alpha = 2 )")
    @test a.spec == "silu(beta=1)~bsilu(alpha=2)"
    @test a.level == only(level.name for level in levels() if level.in_use)
    @test Activation("relu"; level = "scalar").level == "scalar"
    @test sprint(show, a) == "Activation(\"silu(beta=1)~bsilu(alpha=2)\")"
    @test a == Activation(a.spec) && hash(a) == hash(Activation(a.spec))
    @test a != Activation("silu")
    @test deepcopy(a) === a
end

@testset "tables" begin
    knots = [(0, 0, 0), (1, 1, 0)]
    step = Activation("table"; table = knots)
    @test step([-1.0, 0.5, 3.0]) == [0, 0.5, 1]
    @test occursin(r"^table\(digest=[0-9a-f]{16}\)$", step.spec)
    @test Activation(step.spec; table = (row for row in knots), level = "scalar").spec == step.spec
    @test refused(() -> Activation("table")).status == C.SUGAR_ERROR_ARGUMENT
    @test occursin("row of 2 numbers", refused(() -> Activation("table"; table = [(0, 0), (1, 1)])).msg)
end

@testset "serialization" begin
    through(object) = (bytes = IOBuffer(); serialize(bytes, object); deserialize(seekstart(bytes)))
    a = Activation("relu~bsilu(alpha=2)")
    monitor = observe!(Monitor(3), randn(3, 5))
    layers = through(Dict("a" => a, "same" => a, "scalar" => Activation("silu"; level = "scalar"),
                          "monitor" => monitor, "same monitor" => [monitor]))
    @test layers["a"] == a && layers["a"].handle != a.handle
    @test layers["a"] === layers["same"]
    @test layers["scalar"] == Activation("silu"; level = "scalar")
    @test identical(layers["a"]([-1.0, 2.0]), [0.0, 2.0])
    @test save(layers["monitor"]) == save(monitor)
    @test layers["monitor"] === layers["same monitor"][1]
    @test Set(keys(layers)) == Set(["a", "same", "scalar", "monitor", "same monitor"])
    step = Activation("table"; table = [(0, 0, 0), (1, 1, 0)])
    @test through(step) == step && identical(through(step)([0.5]), [0.5])
    @test refused(() -> (close(monitor); through(monitor))) isa SugarError
    @test refused(() -> through(Context(2))) isa ArgumentError
end

@testset "handles are freed" begin
    # What a finalizer calls, counted: the function's address is exchanged for that of one that counts.
    for (destroy, make) in ((C._sugar_activation_destroy, () -> Activation("relu")),
                            (C._sugar_context_destroy, () -> Context(2)),
                            (C._sugar_monitor_destroy, () -> Monitor(3)))
        library = destroy[]
        FREED[] = 0
        LIBRARY_DESTROY[] = library
        destroy[] = @cfunction(counted_destroy, Cvoid, (Ptr{Cvoid},))
        try
            made_and_dropped(make)
            GC.gc()
            GC.gc()
            @test FREED[] >= 9      # the last one may still be on the stack
            before = FREED[]
            one = make()
            close(one)
            @test one.handle == C_NULL
            @test FREED[] == before + 1
        finally
            destroy[] = library
        end
    end
    a = Activation("relu")
    close(a)
    close(a)
    @test refused(() -> a([1.0])).status == C.SUGAR_ERROR_ARGUMENT
end

@testset "the README's example is examples/example.jl" begin
    package = dirname(@__DIR__)
    example = join(readlines(joinpath(package, "examples", "example.jl"))[2:end], "\n")
    @test occursin(example, read(joinpath(package, "README.md"), String))
end

@testset "catalogue and levels" begin
    kinds = catalogue()
    @test [kind.name for kind in kinds] == [kind["name"] for kind in API["catalogue"]]
    for (kind, expected) in zip(kinds, API["catalogue"])
        @test kind.alias == expected["alias"]
        @test Set(string.(kind.roles)) == Set(expected["roles"])
        @test Set(string.(kind.capabilities)) == Set(expected["capabilities"])
        @test [parameter.name for parameter in kind.parameters] == [item["name"] for item in expected["parameters"]]
        @test (kind.value, kind.derivative) == (expected["value"], expected["derivative"])
    end
    hardtanh, elu = [first(kind for kind in kinds if kind.name == name) for name in ("hardtanh", "elu")]
    @test [parameter.not_above for parameter in hardtanh.parameters] == ["max_val", nothing]
    @test elu.parameters[1].learnable && !hardtanh.parameters[1].learnable
    @test [level.name for level in levels()] == API["levels"]
    @test first(levels()).supported
end

@testset "info" begin
    spec = "prelu(alpha=0.5)~bsilu(alpha=1.5,domain=negative,blend=0.25)"
    found = LibSugar.info(Activation(spec, level = "scalar"))
    @test (found.spec, found.level, found.domain, found.blend) == (spec, "scalar", :negative, 0.25)
    @test found.forward == (kind = "prelu", parameters = ["alpha" => 0.5])
    @test found.surrogate == (kind = "bsilu", parameters = ["alpha" => 1.5])
    @test found.uses_own_derivative && Set(found.capabilities) == Set([:learn, :save_byte, :differentiate_twice])
    plain = LibSugar.info(Activation("relu"))
    @test plain.surrogate === nothing && isempty(plain.forward.parameters)
    @test (plain.gradient_minimum, plain.gradient_maximum) == (0, 1)
end

@testset "bfloat16" begin
    B = LibSugar.BFloat16
    # The reference: nearest in exact arithmetic, to even; 2^8 steps between powers of two.
    for x in Float32[1, 1.00390625, 1.01171875, 1.00390627, -3.14159, 1f-40, 3.4f38, Inf, -0.0]
        rounded = Float32(B(x))
        neighbours = [reinterpret(Float32, (reinterpret(UInt32, x) & 0xffff0000) + step) for step in (0x0, 0x10000)]
        @test rounded in neighbours
        @test isinf(rounded) || abs(Float64(rounded) - x) <= minimum(abs.(Float64.(neighbours) .- x))
    end
    @test bits(B(1.00390625f0)) == 0x3f80 && bits(B(1.01171875f0)) == 0x3f82
    @test bits(B(1.00390625 + 1e-12)) == 0x3f81     # not rounded twice
    @test bits(B(1.01171875 - 1e-12)) == 0x3f81
    @test isnan(B(NaN32)) && isnan(B(NaN))
    @test B(1) == B(1.0) && B(1) < B(2) && -B(1) == B(-1)
    @test promote_type(B, Float32) == Float32
    @test Float64(B(0.5)) === 0.5 && Float16(B(0.5)) === Float16(0.5)
    @test sprint(show, B(1.5)) == "BFloat16(1.5)"
    @test LibSugar.datatype(B).code == C.SUGAR_TYPE_BFLOAT
    @test LibSugar.datatype(Elsewhere.BFloat16) == LibSugar.datatype(B)
end
