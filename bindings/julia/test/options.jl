# Every option of a call.

@testset "threads" begin
    a = Activation("gelu")
    x = randn(Float32, 400, 1000)
    expected = a(x)
    own = Context(2)
    julias = Context(:julia)
    for threads in (0, 1, 2, own, julias, nothing, Context())
        y = similar(x)
        @test identical(forward!(y, a, x; threads = threads), expected)
        @test identical(backward(a, x, 1; threads = threads), backward(a, x, 1))
    end
    threads!(2)
    @test LibSugar.DEFAULT_CONTEXT[].threads == 2
    @test identical(a(x), expected)
    @test identical(a.(x), expected)
    threads!(0)
    @test LibSugar.DEFAULT_CONTEXT[].threads == Context().threads >= 1
    @test Context(3).threads == 3
    @test C.sugar_context_threads(C_NULL) == 1
    threads!(own)
    @test LibSugar.DEFAULT_CONTEXT[] === own
    threads!(nothing)
    @test LibSugar.DEFAULT_CONTEXT[] === nothing
    @test_throws SugarError Context(-1)
    @test_throws SugarError forward(a, x; threads = 100000)
    @test_throws ArgumentError Context(:other)
end

@testset "Julia's own threads" begin
    a = Activation("gelu")
    x = randn(Float32, 400, 1000)
    counting = @cfunction(counted_parallel_for, Cvoid, (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Cvoid}, Int64))
    TASKS[] = 0
    context = Context(C.sugar_context_options(threads = 4, parallel_for = counting))
    @test identical(forward(a, x; threads = context), a(x))
    @test TASKS[] > 1
    if Sys.islinux()
        threads() = length(readdir("/proc/self/task"))
        before = threads()
        context = Context(:julia)       # has no pool
        @test threads() == before
        pool = Context(3)
        @test threads() == before + 2
        close(pool)
        @test context.threads == Threads.nthreads()
    end
end

@testset "accumulate, from_output, nontemporal" begin
    a = Activation("sigmoid")
    x, dy = randn(100), randn(100)
    y = a(x)
    @test y ≈ 1 ./ (1 .+ exp.(-x))
    @test backward(a, x, dy) ≈ dy .* y .* (1 .- y)
    @test backward(a, y, dy; from_output = true) ≈ dy .* y .* (1 .- y)
    sum = randn(100)
    expected = sum .+ backward(a, x, dy)
    @test backward!(sum, a, x, dy; accumulate = true) ≈ expected
    @test identical(forward(a, x; nontemporal = true), y)
    @test identical(forward(a, x; nontemporal = false), y)
    @test identical(backward(a, x, reshape(dy, 100); nontemporal = true), backward(a, x, dy))
    @test backward(a, randn(3, 4), [1.0, 2.0, 3.0]) isa Matrix
    z = randn(3, 4)
    @test identical(backward(a, z, [1.0, 2.0, 3.0]), backward(a, z, repeat([1.0, 2.0, 3.0], 1, 4)))
    @test identical(backward!(copy(dy), a, x, dy), (g = copy(dy); backward!(g, a, x, g)))
end

@testset "parameter and its gradient" begin
    a = Activation("leaky_relu")
    x, dy = randn(Float32, 3, 50), randn(Float32, 3, 50)
    slopes = Float32[0.1, 0.2, 0.3]
    @test forward(a, x; parameter = slopes) == ifelse.(x .> 0, x, x .* slopes)
    @test forward(a, x; parameter = 0.25) == ifelse.(x .> 0, x, x .* 0.25f0)
    @test forward(a, x; parameter = reshape(slopes, 3, 1)) == forward(a, x; parameter = slopes)
    gradient = zeros(Float32, 3)
    dx = backward(a, x, dy; parameter = slopes, parameter_gradient = gradient)
    @test dx == ifelse.(x .> 0, dy, dy .* slopes)
    expected = vec(sum(ifelse.(x .> 0, 0, Float64.(x) .* dy); dims = 2))
    @test gradient ≈ expected
    backward(a, x, dy; parameter = slopes, parameter_gradient = gradient)
    @test gradient ≈ expected
    total = copy(gradient)
    backward!(copy(dx), a, x, dy; parameter = slopes, parameter_gradient = total, accumulate = true)
    @test total ≈ 2 .* expected
    whole = fill(0f0)
    backward(a, x, dy; parameter = 0.1, parameter_gradient = whole)
    @test whole[] ≈ sum(expected)
    each = zeros(Float32, 3, 50)
    backward(a, x, dy; parameter = 0.1, parameter_gradient = each)
    @test each == ifelse.(x .> 0, 0f0, x .* dy)
    @test_throws DimensionMismatch forward(a, x; parameter = zeros(Float32, 4))
    @test_throws DimensionMismatch forward(a, x; parameter = zeros(Float32, 3, 50, 1))
end

@testset "bias and gate" begin
    a = Activation("relu")
    x, dy, gate = randn(Float32, 3, 50), randn(Float32, 3, 50), randn(Float32, 3, 50)
    bias = Float32[0.5, -0.25, 1]
    moved = x .+ bias
    @test forward(a, x; bias = bias, gate = gate) == max.(moved, 0) .* gate
    @test forward(a, x; bias = 0.5) == max.(x .+ 0.5f0, 0)
    @test forward(a, x; gate = gate[:, 1]) == max.(x, 0) .* gate[:, 1]
    sums, product = zeros(Float32, 3), similar(x)
    dx = backward(a, x, dy; bias = bias, bias_gradient = sums, gate = gate, gate_gradient = product)
    @test dx == ifelse.(moved .> 0, dy .* gate, 0)
    @test product == dy .* max.(moved, 0)
    @test sums ≈ vec(sum(Float64.(dx); dims = 2))
    half = Float16.(x)
    @test forward(a, half; bias = bias) == Float16.(max.(half .+ bias, 0))
    @test_throws DimensionMismatch forward(a, x; gate = zeros(Float32, 4))
    @test_throws DimensionMismatch forward(a, x; bias = zeros(Float32, 4))
    @test_throws SugarError backward(a, x, dy; gate_gradient = zeros(Float32, 3, 1))
    @test_throws ArgumentError forward(a, x; gate = 1)
end

@testset "second derivatives" begin
    a = Activation("softplus")
    x, dy, v = randn(3, 5), randn(3, 5), randn(3, 5)
    s = 1 ./ (1 .+ exp.(-x))
    ddy, dx = backward_twice(a, x, dy, v)
    @test ddy ≈ v .* s && dx ≈ v .* dy .* s .* (1 .- s)
    @test identical(ddy, backward(a, x, v))
    total = ones(3, 5)
    @test backward_twice!(nothing, total, a, x, dy, v; accumulate = true, threads = 2) === (nothing, total)
    @test total ≈ 1 .+ dx
    @test identical(backward_twice(a, x, 2, 1)[2], backward_twice(a, x, fill(2.0, 3, 5), ones(3, 5))[2])
    in_place = copy(v)
    backward_twice!(in_place, nothing, a, x, dy, in_place)
    @test identical(in_place, ddy)
    @test refused(() -> backward_twice!(nothing, nothing, a, x, dy, v)).status == C.SUGAR_ERROR_ARGUMENT
    @test refused(() -> backward_twice(a, x, dy, v; gate = x)).status == C.SUGAR_ERROR_UNSUPPORTED
    @test_throws DimensionMismatch backward_twice(a, x, dy, zeros(4))
end

@testset "operands without elements" begin
    memory, codes = fill(7.0, 9, 3), fill(0x07, 9, 3)
    prelu, relu_too, rrelu = Activation("prelu"), Activation("relu"), Activation("rrelu")
    monitor = Monitor(3; dims = 2)
    for none in (view(memory, 5:2:4, :), view(memory, 9:-3:10, :), zeros(0, 3), PermutedDimsArray(zeros(3, 0), (2, 1)))
        forward!(none, relu_too, none; monitor = monitor)
        forward!(none, prelu, none; parameter = none)
        backward!(none, prelu, none, none; parameter = none, parameter_gradient = none)
        forward!(none, rrelu, none; random = 1)
        for saved in (view(codes, 9:-3:10, :), zeros(UInt8, 0, 3), falses(0, 3))
            forward!(none, relu_too, none; saved_gradient = saved)
            backward!(none, relu_too, nothing, none; saved_gradient = saved)
        end
        sums, total = fill(7.0, 1, 3), fill(7.0)
        backward!(none, prelu, none, none; parameter = 0.5, parameter_gradient = sums)
        backward!(none, prelu, none, none; parameter_gradient = total)
        @test all(sums .== 0) && total[] == 0
    end
    @test all(memory .== 7) && all(codes .== 7)
end

@testset "saved gradient" begin
    x, dy = randn(Float32, 7, 9), randn(Float32, 7, 9)
    relu_like = Activation("relu")
    bits_ = BitArray(undef, size(x))
    @test identical(forward(relu_like, x; saved_gradient = bits_), relu_like(x))
    @test bits_ == (x .> 0)
    @test identical(backward(relu_like, nothing, dy; saved_gradient = bits_), backward(relu_like, x, dy))
    # Bit i is element i in Julia's order, whatever the strides.
    turned = PermutedDimsArray(permutedims(x), (2, 1))
    forward(relu_like, turned; saved_gradient = bits_)
    @test bits_ == (x .> 0)
    smooth = Activation("silu")
    low, high = LibSugar.info(smooth).gradient_minimum, LibSugar.info(smooth).gradient_maximum
    @test -0.11 < low < -0.09 && 1.09 < high < 1.11
    bytes = similar(x, UInt8)
    forward(smooth, x; saved_gradient = bytes)
    dx = backward(smooth, nothing, dy; saved_gradient = bytes)
    @test maximum(abs.(dx .- backward(smooth, x, dy)) ./ abs.(dy)) <= (high - low) / 510 + 1e-6
    @test_throws SugarError backward(smooth, x, dy; saved_gradient = bytes)
    # Bits are packed in a BitArray alone: a byte of an Array of Bool is no bit.
    for wrong in (zeros(Bool, size(x)), view(bits_, :, 1:9), zeros(Int8, size(x)), "bits")
        failure = refused(() -> forward(relu_like, x; saved_gradient = wrong))
        @test failure isa ArgumentError
        @test occursin("saved_gradient", failure.msg) && occursin(string(typeof(wrong)), failure.msg)
    end
    @test_throws ArgumentError relu_like([true, false])
    @test_throws ArgumentError forward(relu_like, x; parameter = trues(7))
end

@testset "options that are refused by name" begin
    a = Activation("relu")
    x = randn(Float32, 8)
    closed(handle) = (close(handle); handle)
    for (option, wrong, expected) in (
            (:threads, 1.5, "a number"), (:threads, closed(Context(2)), "open"), (:threads, big(2)^70, "a number"),
            (:nontemporal, 1, "true, false"), (:accumulate, 1, "true or false"), (:monitor, 3, "a Monitor"),
            (:monitor, closed(Monitor(8)), "open"), (:parameter, "1", "a number"),
            (:parameter_gradient, 1.0, "an array"),
            (:random, big(2)^70, "0 to"), (:random, -1, "0 to"), (:random, (1, -1), "0 to"),
            (:random, 1.5, "a seed"), (:threds, 2, "threads, "))
        failure = refused(() -> forward(a, x; Dict(option => wrong)...))
        @test failure isa ArgumentError
        message = sprint(showerror, failure)
        @test occursin("$option", message) && occursin("expected", message) && occursin(expected, message)
    end
    context = Context(2)
    threads!(context)
    close(context)
    @test refused(() -> a(x)) isa ArgumentError
    @test refused(() -> a.(x)) isa ArgumentError
    threads!(nothing)
    @test refused(() -> observe!(Monitor(8), x; threads = context)) isa ArgumentError
end

@testset "random slopes" begin
    a = Activation("rrelu")
    x = -ones(Float32, 6, 10)
    y = forward(a, x; random = 1)
    @test all(1 / 8 - 1e-6 .<= -y .<= 1 / 3 + 1e-6)
    @test length(unique(y)) > 50
    @test identical(y, forward(a, x; random = (1, 0)))
    @test y != forward(a, x; random = 2)
    @test identical(y[9:end], forward(a, x[9:end]; random = (1, 2)))
    @test identical(-y, backward(a, x, 1; random = 1))
    # Element i is the i-th in Julia's order, whatever the strides.
    @test identical(y, forward(a, PermutedDimsArray(permutedims(x), (2, 1)); random = 1))
end

@testset "monitor" begin
    a = Activation("relu")
    x = randn(Float32, 3, 4, 5)
    x[2, :, :] .= -1
    monitor = Monitor(3)
    y = forward(a, x; monitor = monitor)
    @test identical(y, a(x))
    all_ = statistics(monitor)
    @test (all_.units, all_.samples, all_.active) == (3, 60, count(x .> 0))
    @test all_.mean ≈ sum(Float64, x) / 60
    @test dead(monitor) == [2]
    @test dead(monitor; rate = 1) == [1, 2, 3]
    @test statistics(monitor, 1).active == count(x[1, :, :] .> 0)
    @test statistics(monitor, 2).sum == -20
    counts, edges = histogram(monitor)
    @test sum(counts) == 60 && length(edges) == length(counts) - 1
    @test occursin("3 units", sprint(show, monitor))
    other = copy(monitor)
    @test statistics(other) == all_
    @test statistics(merge!(other, monitor)).samples == 120
    @test statistics(observe!(other, x; threads = 2)).samples == 180
    @test statistics(empty!(other)).samples == 0
    for (dims, units) in ((1, 3), (2, 4), (3, 5))
        along = observe!(Monitor(units; dims = dims, threshold = 0.5, range = (-1, 1)), x)
        unit = statistics(along, units)
        @test unit.active == count(selectdim(x, dims, units) .> 0.5)
        @test histogram(along).edges[1] == -1
        @test statistics(along).axis_from_end == dims - 1
    end
    @test_throws ArgumentError Monitor(3; dims = 0)
    @test_throws ArgumentError Monitor(3; dims = 65)
    @test_throws SugarError Monitor(3; bins = 33)
    @test_throws SugarError Monitor(4; dims = 1) |> monitor -> observe!(monitor, x)
    @test_throws SugarError Monitor(UInt8[1, 2, 3])
    @test_throws SugarError statistics(monitor, 4)
end
