# What ext/ does, for versions of Julia before 1.9: the rules come when ChainRulesCore is loaded.

const CHAIN_RULES_CORE = Base.PkgId(Base.UUID("d360d2e6-b24c-11e9-a2a3-2a2ae2dbcce4"), "ChainRulesCore")

"Adds the rules of src/rules.jl to a module that has the interface of ChainRulesCore."
function define_rules(core::Module)
    rules = Module(:LibSugarRules)
    Core.eval(rules, :(const ChainRulesCore = $core; const LibSugar = $(@__MODULE__)))
    Base.include(rules, joinpath(@__DIR__, "rules.jl"))
    return rules
end

function wait_for_chain_rules()
    ccall(:jl_generating_output, Cint, ()) == 1 && return
    haskey(Base.loaded_modules, CHAIN_RULES_CORE) && return define_rules(Base.loaded_modules[CHAIN_RULES_CORE])
    push!(Base.package_callbacks,
          package -> package == CHAIN_RULES_CORE && define_rules(Base.loaded_modules[package]))
    return
end
