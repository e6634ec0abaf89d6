# Arrays and views of any strides, against formulas element by element.

using Random

const ELEMENTS = (Float16, Float32, Float64, LibSugar.BFloat16)

bits(x::AbstractFloat) = sizeof(x) == 2 ? reinterpret(UInt16, x) : sizeof(x) == 4 ? reinterpret(UInt32, x) :
    reinterpret(UInt64, x)
"The same bits everywhere, but any NaN for any other."
identical(x, y) = size(x) == size(y) && all(bits(p) == bits(q) || isnan(p) && isnan(q) for (p, q) in zip(x, y))

"Numbers whose products and sums are exact in every type of elements."
sample(T, generator, shape...) = reshape(T.(rand(generator, -8:8, prod(shape)) ./ 4), shape)

# Orders of dimensions in memory: few, since Julia compiles for each.
const ORDERS = ([[1]], [[1, 2], [2, 1]], [[1, 2, 3], [3, 1, 2]])

"A view of rank 1 to 3 with random steps, of either sign, of an array of its own."
function random_view(T, generator, shape)
    steps = rand(generator, [-3, -2, -1, 1, 2, 3], length(shape))
    order = rand(generator, ORDERS[length(shape)])
    spans = [abs(step) * max(extent, 1) for (step, extent) in zip(steps, shape)][order]
    parent = PermutedDimsArray(sample(T, generator, spans...), invperm(order))
    ranges = [step > 0 ? (1:step:1+step*(extent-1)) : (1-step*(extent-1):step:1)
              for (step, extent) in zip(steps, shape)]
    return view(parent, ranges...)::SubArray
end

relu(x) = x > 0 ? x : zero(x)
slope(x) = x > 0 ? 1 : 0

@testset "random strided views of $T" for T in ELEMENTS
    a = Activation("relu")
    generator = MersenneTwister(7)
    for round in 1:100
        shape = Tuple(rand(generator, 0:5, rand(generator, 1:3)))
        x, y, dy, dx, sum = (random_view(T, generator, shape) for _ in 1:5)
        untouched = collect(parent(y))
        product = T.(Float64.(dy) .* slope.(x))
        expected = T.(Float64.(sum) .+ Float64.(product))
        @test forward!(y, a, x) === y
        @test identical(y, relu.(x))
        written = falses(size(parent(y)))
        written[parentindices(y)...] .= true
        @test identical(parent(y)[.!written], untouched[.!written])
        @test identical(backward!(dx, a, x, dy), product)
        @test identical(backward!(sum, a, x, dy; accumulate = true), expected)
        @test identical(a(x), relu.(x))
        @test identical(a.(x), relu.(x))
        x .= a.(x)
        @test identical(x, y)
    end
end

@testset "kinds of arrays" begin
    a = Activation("silu")
    matrix = randn(Float32, 6, 8)
    expected = a(matrix)
    @test expected isa Matrix{Float32}
    @test expected ≈ matrix ./ (1 .+ exp.(-matrix))
    check_values(x, y) = (@test identical(a(x), y); @test identical(a.(x), y))
    check_values(matrix', collect(expected'))
    check_values(transpose(matrix), permutedims(expected))
    check_values(PermutedDimsArray(matrix, (2, 1)), permutedims(expected))
    check_values(reshape(matrix, 3, 2, 8), reshape(expected, 3, 2, 8))
    check_values(reshape(view(matrix, :, 2:3), 4, 3), reshape(expected[:, 2:3], 4, 3))
    check_values(view(matrix, 6:-2:1, 3), expected[6:-2:1, 3])
    check_values(view(matrix, 3, 4), fill(expected[3, 4]))
    check_values(reinterpret(Float32, reinterpret(UInt32, matrix)), expected)
    check_values(reinterpret(Float32, view(reinterpret(UInt32, vec(matrix)), 2:3:40)), vec(expected)[2:3:40])
    pairs = complex.(matrix, -matrix)
    check_values(reinterpret(Float32, vec(pairs)), vec(permutedims(cat(vec(expected), vec(a(-matrix)); dims = 2))))
    check_values(view(reinterpret(Float32, vec(pairs)), 2:2:96), vec(a(-matrix)))
    check_values(zeros(Float32, 0, 3), zeros(Float32, 0, 3))
    check_values(fill(1.5f0), fill(a(1.5f0)))
    deep = rand(ntuple(d -> d < 8 ? 2 : 1, 20)...)
    check_values(deep, reshape(a(vec(deep)), size(deep)))
end

@testset "numbers" begin
    a = Activation("relu~bsilu")
    for T in ELEMENTS
        x = sample(T, MersenneTwister(1), 40)
        @test all(a(p) === q for (p, q) in zip(x, a(x)))
        @test all(backward(a, p, T(2)) === q for (p, q) in zip(x, backward(a, x, 2)))
        @test identical(map(a, x), a(x))
    end
    @test a(3) === 3.0
    @test a(1 // 2) === 0.5
    @test a(π) === Float64(π)
    @test backward(a, 1, 2) === backward(a, 1.0, 2.0)
end

@testset "broadcasting" begin
    a = Activation("gelu")
    x = randn(Float32, 4, 6)
    y = similar(x)
    y .= a.(x .+ 1)
    @test identical(y, a(x .+ 1))
    @test identical(a.(x .* 2) .+ 1, a(x .* 2) .+ 1)
    column = x[:, 1]
    y .= a.(column)
    @test identical(y, a(repeat(column, 1, 6)))
    y .= a.(x[1:1, :])
    @test identical(y, a(repeat(x[1:1, :], 4)))
    y .= a.(0.5f0)
    @test all(y .=== a(0.5f0))
    wide = zeros(4, 6)
    wide .= a.(x)
    @test wide == a(x)
    wide .= a.(x .+ 1)
    @test wide == a(x .+ 1)
    @test a.(1:3) == [a(1.0), a(2.0), a(3.0)]
    @test a.((1.0, 2.0)) == (a(1.0), a(2.0))
    # Views that share memory: as if x had been copied first.
    z = randn(Float32, 10)
    expected = a(z[1:9])
    @views z[2:10] .= a.(z[1:9])
    @test identical(z[2:10], expected)
    @views z[1:5] .= a.(z[1:5])
    @test identical(z[1:4], a(expected)[[1, 1, 2, 3]] .* 0 .+ z[1:4])
end

"The bytes that a call allocates, once it is compiled."
function allocated(call, arguments...)
    call(arguments...)
    return @allocated call(arguments...)
end
dotted!(y, a, x) = y .= a.(x)
with_options!(y, a, x, saved) = forward!(y, a, x; saved_gradient = saved, nontemporal = false)

@testset "no copies" begin
    a = Activation("relu~bsilu")
    x, y, dy, dx = (randn(Float32, 512, 512) for _ in 1:4)
    strided = view(x, 512:-2:1, :), view(y, 1:256, :), view(dy, :, 1:2:512)
    saved = similar(x, UInt8)
    smooth = Activation("silu")
    @test allocated(forward!, y, a, x) < 512
    @test allocated(forward!, strided[2], a, strided[1]) < 512
    @test allocated(forward!, PermutedDimsArray(y, (2, 1)), a, PermutedDimsArray(x, (2, 1))) < 1024
    @test allocated(backward!, dx, a, x, dy) < 512
    @test allocated(dotted!, y, a, x) < 512
    @test allocated(with_options!, y, smooth, x, saved) < 4096
    @test allocated(a, x) < 1.1 * sizeof(x)
    for array in (x, strided..., PermutedDimsArray(x, (2, 1)), x')
        tensor = LibSugar.Tensor(array)
        @test tensor.head.data == pointer(array)
        @test reverse(tensor.strides) == strides(array)
        @test tensor.head.shape == pointer_from_objref(tensor) + fieldoffset(typeof(tensor), 2)
    end
end
