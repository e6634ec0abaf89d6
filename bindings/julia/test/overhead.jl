# What a call on 16 elements costs, in ns: medians of 21 rounds of 20000 calls.
#
#     julia --project=bindings/julia bindings/julia/test/overhead.jl

using LibSugar
using LibSugar: LowLevel, Tensor, address

function round_of(call::F, arguments...) where {F}
    start = time_ns()
    for _ in 1:20000
        call(arguments...)
    end
    return (time_ns() - start) / 20000
end

function report(name, call::F, arguments...) where {F}
    round_of(call, arguments...)
    median = sort([round_of(call, arguments...) for _ in 1:21])[11]
    println(rpad(name, 52), lpad(round(Int, median), 5))
end

a = Activation("relu")
x, y, dx = (randn(Float32, 16) for _ in 1:3)
backwards, half = view(x, 16:-2:1), view(y, 1:8)
from, to, from_view, to_view = Tensor(x), Tensor(y), Tensor(backwards), Tensor(half)
context = Context(2)
c_vector(a, x, y) = LowLevel.sugar_forward_f32(a.handle, 16, x, 1, y, 1, C_NULL)
c_tensor(a, x, y) = LowLevel.sugar_forward(a.handle, address(x), address(y), C_NULL)

report("C: sugar_forward_f32", c_vector, a, x, y)
report("C: sugar_forward", c_tensor, a, from, to)
report("forward!(y, a, x)", forward!, y, a, x)
report("y .= a.(x)", (y, a, x) -> y .= a.(x), y, a, x)
report("backward!(dx, a, x, dy)", backward!, dx, a, x, y)
report("a(x), which allocates", (a, x) -> a(x), a, x)
report("a(1.5f0)", (a, x) -> a(x), a, 1.5f0)
report("C: sugar_forward, a view of step -2", c_tensor, a, from_view, to_view)
report("forward!(y, a, x), a view of step -2", forward!, half, a, backwards)
report("forward!(y, a, x; threads = Context(2))", (y, a, x, threads) -> forward!(y, a, x; threads), y, a, x, context)
report("forward!(y, a, x; threads = 2)", (y, a, x) -> forward!(y, a, x; threads = 2), y, a, x)
report("forward!(y, a, x; nontemporal = false)", (y, a, x) -> forward!(y, a, x; nontemporal = false), y, a, x)
report("Julia's own y .= max.(x, 0)", (y, x) -> y .= max.(x, 0f0), y, x)
