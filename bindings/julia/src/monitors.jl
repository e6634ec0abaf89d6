# Monitors: what the units of a layer have seen.

"""
    Monitor(units; dims = 1, threshold = 0, range = (-8, 8), bins = 32, every = 1)
    Monitor(bytes)

Counts and sums over the inputs of an activation, for each of the `units` that lie along dimension `dims` of `x`, 1
being the first one. A unit is active where `x > threshold`; `range` and `bins` are those of the histogram (this version
has 32 bins). Fed by `forward!(y, a, x; monitor)` in passing or by [`observe!`](@ref): one call in `every`, beginning
with the first; the others take as long as without a monitor. Asked by [`statistics`](@ref), [`dead`](@ref) and
[`histogram`](@ref). `save(monitor)` gives the bytes from which `Monitor(bytes)` makes it again.
`merge!(into, from)` adds up, `empty!` forgets, `copy` makes another. Only one call may use it at a time. Freed when
nothing refers to it; `close` does it at once.
"""
mutable struct Monitor
    handle::Ptr{C.sugar_monitor}

    Monitor(handle::Ptr{C.sugar_monitor}) = finalizer(close, new(handle))
end

function Monitor(units::Integer; dims::Integer = 1, threshold::Real = 0, range::Tuple{Real,Real} = (-8, 8),
                 bins::Integer = C.SUGAR_MONITOR_BINS, every::Integer = 1)
    if !(1 <= dims <= C.SUGAR_MAX_DIMENSIONS)
        throw(ArgumentError("dims = $dims, expected 1, the first dimension, to $(C.SUGAR_MAX_DIMENSIONS)"))
    end
    # The library has the dimensions in reverse: 1 is its last one.
    options = C.sugar_monitor_options(axis_from_end = dims - 1, bins = bins, threshold = threshold, minimum = range[1],
                                      maximum = range[2], every = every)
    handle = Ref{Ptr{C.sugar_monitor}}(C_NULL)
    check(C.sugar_monitor_create(handle, units, Ref(options)))
    return Monitor(handle[])
end

function Monitor(bytes::Vector{UInt8})
    handle = Ref{Ptr{C.sugar_monitor}}(C_NULL)
    check(C.sugar_monitor_restore(handle, bytes, length(bytes)))
    return Monitor(handle[])
end

function Base.close(monitor::Monitor)
    C.sugar_monitor_destroy(monitor.handle)
    monitor.handle = C_NULL
    return
end

"""
    observe!(monitor, x; threads)

Counts the elements of `x`, as a forward call with this monitor does.
"""
function observe!(monitor::Monitor, x::AbstractArray{T}; threads = nothing) where {T}
    options = call_options(T, size(x); threads = threads)
    seen = Tensor(x)
    GC.@preserve monitor x seen options begin
        check(C.sugar_monitor_observe(monitor.handle, address(seen), address(options)))
    end
    return monitor
end

function Base.empty!(monitor::Monitor)
    GC.@preserve monitor check(C.sugar_monitor_reset(monitor.handle))
    return monitor
end

function Base.merge!(into::Monitor, from::Monitor)
    GC.@preserve into from check(C.sugar_monitor_merge(into.handle, from.handle))
    return into
end

Base.copy(monitor::Monitor) = Monitor(save(monitor))
Base.deepcopy_internal(monitor::Monitor, seen::IdDict) = get!(() -> copy(monitor), seen, monitor)
Base.show(io::IO, monitor::Monitor) = print(io, "Monitor of ", statistics(monitor).units, " units")

"A struct of the library's as a named tuple, without its size."
members(filled::S) where {S} = NamedTuple{fieldnames(S)[2:end]}(ntuple(i -> getfield(filled, i + 1), fieldcount(S) - 1))

"""
    statistics(monitor)
    statistics(monitor, unit)

What all units, or one of them (from 1), have seen, as a named tuple: see `LibSugar.LowLevel.sugar_monitor_summary` and
`sugar_monitor_unit`.
"""
function statistics(monitor::Monitor)
    summary = Ref(C.sugar_monitor_summary())
    GC.@preserve monitor check(C.sugar_monitor_get(monitor.handle, summary))
    return members(summary[])
end

function statistics(monitor::Monitor, unit::Integer)
    seen = Ref(C.sugar_monitor_unit())
    GC.@preserve monitor check(C.sugar_monitor_get_unit(monitor.handle, unit - 1, seen))
    return members(seen[])
end

"""
    dead(monitor; rate = 0)

The units (from 1) of whose samples at most the share `rate` was active.
"""
function dead(monitor::Monitor; rate::Real = 0)
    indices = zeros(Int64, statistics(monitor).units)
    count = Ref{Int64}(0)
    GC.@preserve monitor check(C.sugar_monitor_find_dead(monitor.handle, rate, indices, length(indices), count))
    return resize!(indices, count[]) .+ 1
end

"""
    histogram(monitor)

`(counts, edges)` of all samples; the first and the last bin lie outside the edges.
"""
function histogram(monitor::Monitor)
    bins = statistics(monitor).bins
    counts, edges = zeros(Int64, bins), zeros(Float64, bins - 1)
    GC.@preserve monitor check(C.sugar_monitor_get_histogram(monitor.handle, counts, edges, bins))
    return (counts = counts, edges = edges)
end

"""
    save(monitor)

All that a monitor holds, as bytes that do not depend on the machine.
"""
function save(monitor::Monitor)
    GC.@preserve monitor begin
        bytes = zeros(UInt8, C.sugar_monitor_save_size(monitor.handle))
        check(C.sugar_monitor_save(monitor.handle, bytes, length(bytes)))
    end
    return bytes
end
