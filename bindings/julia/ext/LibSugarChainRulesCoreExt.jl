# Loaded by Julia 1.9 and newer beside LibSugar and ChainRulesCore.

module LibSugarChainRulesCoreExt

import ChainRulesCore
import LibSugar

include("../src/rules.jl")

end
