# Installs the package into an environment of its own and runs Pkg.test, as a user would, but from an empty registry in
# an empty depot: nothing is downloaded, and nothing is left behind.
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
