# Ten lines with LibSugar: julia --project=bindings/julia bindings/julia/examples/example.jl
using LibSugar

a = Activation("relu~bsilu(alpha=1.67)")        # the values of relu, the derivative of bsilu
x = randn(Float32, 64, 1000)
y = a(x)                                        # or a.(x), or forward!(y, a, x)
dx = backward(a, x, 1)                          # the derivative; any dy in place of 1
forward!(view(y, :, 1:2:1000), a, view(x, :, 1000:-2:1); threads = 2)
monitor = Monitor(64)                           # the first dimension of x has 64 units
forward!(x, a, x; monitor = monitor)            # in place, counted in passing
println("dead units: ", dead(monitor), ", sparsity: ", round(statistics(monitor).sparsity, digits = 2))
