# Installs the package into an environment of its own and runs Pkg.test, as a user would, but from an empty registry in
# an empty depot: nothing is downloaded, and nothing is left behind. Then a stand-in is installed under the name of
# ChainRulesCore, to see that the rules come with it in whatever way this Julia has.
#
#     julia bindings/julia/test/package.jl

using Pkg

depot = mktempdir()
registry = mkpath(joinpath(depot, "registries", "Empty"))
write(joinpath(registry, "Registry.toml"), """
    name = "Empty"
    uuid = "5f4bba6b-6be2-4b6e-8a1e-8a3a6f0c7f0e"
    repo = ""
    [packages]
    """)
pushfirst!(empty!(DEPOT_PATH), depot)
Pkg.offline()
Pkg.activate(mktempdir())
Pkg.develop(PackageSpec(path = dirname(@__DIR__)))
Pkg.test("LibSugar")

stand_in = mkpath(joinpath(mktempdir(), "ChainRulesCore"))
write(joinpath(stand_in, "Project.toml"), """
    name = "ChainRulesCore"
    uuid = "d360d2e6-b24c-11e9-a2a3-2a2ae2dbcce4"
    version = "1.10.0"
    """)
write(joinpath(mkpath(joinpath(stand_in, "src")), "ChainRulesCore.jl"),
      "module ChainRulesCore\ninclude($(repr(joinpath(@__DIR__, "stand_in.jl"))))\nend\n")
Pkg.develop(PackageSpec(path = stand_in))
check = """
    a = Activation("silu")
    x = randn(3)
    y, pullback = ChainRulesCore.rrule(a, x)
    y == a(x) && ChainRulesCore.unthunk(pullback(2 .* x)[2]) == backward(a, x, 2 .* x) || exit(1)
    """
for packages in ("LibSugar, ChainRulesCore", "ChainRulesCore, LibSugar")
    command = `$(Base.julia_cmd()) --project=$(Base.active_project()) -e "using $packages; $check"`
    run(setenv(command, merge(ENV, Dict("JULIA_DEPOT_PATH" => depot))))
end
println("The rules come with ChainRulesCore (a stand-in), loaded before or after")
