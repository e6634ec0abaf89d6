# What the library has: functions and instruction sets.

string_or_nothing(text::Cstring) = text == C_NULL ? nothing : unsafe_string(text)

"The constants of a group, by their names in small letters: (:forward, 1), ..."
group(prefix) = [(Symbol(lowercase(string(name)[length(prefix)+1:end])), getfield(C, name))
                 for name in sort(names(C, all = true)) if startswith(string(name), prefix)]

const ROLES = group("SUGAR_ROLE_")
const CAPABILITIES = group("SUGAR_CAN_")

words(group, flags) = [word for (word, flag) in group if flags & flag != 0]

"""
    catalogue()

All functions that specs may name, each a named tuple: `name`, `alias` (or `nothing`), `roles` (`:forward`,
`:surrogate`), `value` and `derivative` (formulas), `source`, `capabilities`, and `parameters` (`name`,
`default_value`, `minimum`, `maximum`, `learnable`, and `not_above`, the name of the parameter that its value may not
exceed, or `nothing`).
"""
catalogue() = [kind(index) for index in Int32(0):C.sugar_kind_count()-Int32(1)]

function kind(index)
    found = Ref(C.sugar_kind())
    check(C.sugar_kind_get(index, found))
    it = found[]
    return (name = unsafe_string(it.name), alias = string_or_nothing(it.alias), roles = words(ROLES, it.roles),
            value = string_or_nothing(it.value), derivative = string_or_nothing(it.derivative),
            source = unsafe_string(it.source), capabilities = words(CAPABILITIES, it.capabilities),
            parameters = [parameter(index, i) for i in Int32(0):it.parameter_count-Int32(1)])
end

function parameter(index, parameter_index)
    found = Ref(C.sugar_parameter())
    check(C.sugar_kind_get_parameter(index, parameter_index, found))
    it = found[]
    return (name = unsafe_string(it.name), default_value = it.default_value, minimum = it.minimum,
            maximum = it.maximum, learnable = it.learnable != 0,
            not_above = it.not_above < 0 ? nothing : parameter(index, it.not_above).name)
end

"""
    LibSugar.info(a)

What an [`Activation`](@ref) is, as a named tuple: `spec`, `level`; `forward` and `surrogate` (or `nothing`), each with
`kind`, a name, and `parameters`, pairs of a name and a value; `domain` (`:all`, `:negative`), `blend`,
`uses_own_derivative`, `capabilities` (what calls accept), `gradient_minimum` and `gradient_maximum`. What they mean in
full: `LibSugar.LowLevel.sugar_activation_info`.
"""
function info(a::Activation)
    found = Ref(C.sugar_activation_info())
    GC.@preserve a begin
        check(C.sugar_activation_get_info(a.handle, found))
        it = found[]
        said = (spec = unsafe_string(it.spec), level = unsafe_string(it.level),
                forward = side(it.forward_kind, it.forward_parameters),
                surrogate = it.surrogate_kind < 0 ? nothing : side(it.surrogate_kind, it.surrogate_parameters),
                domain = it.domain == C.SUGAR_DOMAIN_NEGATIVE ? :negative : :all, blend = it.blend,
                uses_own_derivative = it.uses_own_derivative != 0,
                capabilities = words(CAPABILITIES, it.capabilities),
                gradient_minimum = it.gradient_minimum, gradient_maximum = it.gradient_maximum)
    end
    return said
end

"A function of an activation, with the values at an address."
function side(kind_index, values)
    found = kind(kind_index)
    return (kind = found.name,
            parameters = [one.name => unsafe_load(values, i) for (i, one) in enumerate(found.parameters)])
end

"""
    levels()

The instruction sets, lowest first, each a named tuple: `name`, `compiled` (this library has its kernels), `supported`
(and so has this machine), `in_use` (an activation that names none gets it).
"""
levels() = [level(index) for index in Int32(0):C.sugar_level_count()-Int32(1)]

function level(index)
    found = Ref(C.sugar_level())
    check(C.sugar_level_get(index, found))
    it = found[]
    return (name = unsafe_string(it.name), compiled = it.compiled != 0, supported = it.supported != 0,
            in_use = it.in_use != 0)
end

"""
    LibSugar.version()

The version of the library in use.
"""
function version()
    number = C.sugar_version()
    return VersionNumber(number ÷ 10000, number ÷ 100 % 100, number % 100)
end
