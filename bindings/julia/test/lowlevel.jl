# The low-level layer against api.json: structs, constants, functions, documentation.

const API = Json.parse(read(joinpath(BINDINGS, "api.json"), String))

"Whether a binding has documentation of its own."
documented(within, name) = haskey(Base.Docs.meta(within), Base.Docs.Binding(within, name))

@testset "structs" begin
    for item in API["structs"]
        made = getfield(C, Symbol(item["name"]))
        @test sizeof(made) == item["size"]
        @test [string(name) for name in fieldnames(made)] == [field["name"] for field in item["fields"]]
        @test [fieldoffset(made, i) for i in 1:fieldcount(made)] == [field["offset"] for field in item["fields"]]
        item["struct_size"] && @test made().struct_size == item["size"]
    end
end

@testset "constants" begin
    @test all(getfield(C, Symbol(constant["name"])) == constant["value"] for constant in API["constants"])
    @test string(C.VERSION) == API["version"]
    @test C.ABI_VERSION == API["abi_version"]
    @test LibSugar.version() == C.VERSION
end

@testset "functions" begin
    @test [string(name) for name in keys(C.FUNCTIONS)] == [item["name"] for item in API["functions"]]
    @test all(address[] != C_NULL for address in C.FUNCTIONS)
    @test all(documented(C, Symbol(item["name"])) for item in API["functions"])
    @test all(documented(LibSugar, name) for name in names(LibSugar))
    @test unsafe_string(C.sugar_status_name(Int32(-2))) == "SUGAR_ERROR_SPEC"
end
