# Activations and monitors written by Julia's Serialization, and so sent to other processes: what they are made from, in
# place of their handles.

"The level of an activation, unless it is the one that `nothing` names: another machine has its own best one."
asked_level(a::Activation) = any(level -> level.in_use && level.name == a.level, levels()) ? nothing : a.level

made_from(a::Activation) = (a.spec, asked_level(a), a.table)
made_from(monitor::Monitor) = (save(monitor),)

function Serialization.serialize(to::AbstractSerializer, object::Union{Activation,Monitor})
    Serialization.serialize_cycle_header(to, object) && return
    serialize(to, made_from(object))
    return
end

Serialization.deserialize(from::AbstractSerializer, ::Type{Activation}) =
    remade(from, (spec, level, table) -> Activation(spec; level = level, table = table))
Serialization.deserialize(from::AbstractSerializer, ::Type{Monitor}) = remade(from, Monitor)

function remade(from, make)
    object = make(deserialize(from)...)
    Serialization.deserialize_cycle(from, object)
    return object
end

Serialization.serialize(::AbstractSerializer, ::Context) =
    throw(ArgumentError("a Context cannot be serialized: its threads are this process's; make one where it is needed"))
