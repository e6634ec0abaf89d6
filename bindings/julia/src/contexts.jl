# Threads: of a pool of the library's own, or Julia's.

"The library's parallel_for on Julia's threads. The task stays on its thread, since C waits below it."
function run_on_julia(payload::Ptr{Cvoid}, task::Ptr{Cvoid}, work::Ptr{Cvoid}, count::Int64)::Cvoid
    current = current_task()
    sticky = current.sticky
    current.sticky = true
    Threads.@threads for index in 0:count-1
        ccall(task, Cvoid, (Ptr{Cvoid}, Int64), work, index)
    end
    current.sticky = sticky
    return
end

"""
    Context(threads = 0)
    Context(:julia)

How calls use threads: a pool of the library's own, `threads` in number with the calling one (0: as many as the
process may use); or Julia's threads (`Threads.nthreads()` of them). How many there are is in the field `threads`.
For the keyword `threads` of a call, or [`threads!`](@ref). Small calls stay on the calling thread. Freed when
nothing refers to it; `close` does it at once.
"""
mutable struct Context
    handle::Ptr{C.sugar_context}
    threads::Int
end

Context(threads::Integer = 0) = Context(C.sugar_context_options(threads = threads))

function Context(kind::Symbol)
    kind === :julia || throw(ArgumentError("Context(:$kind), expected a number of threads or :julia"))
    run = @cfunction(run_on_julia, Cvoid, (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Cvoid}, Int64))
    return Context(C.sugar_context_options(threads = Threads.nthreads(), parallel_for = run))
end

function Context(options::C.sugar_context_options)
    handle = Ref{Ptr{C.sugar_context}}(C_NULL)
    check(C.sugar_context_create(handle, Ref(options)))
    return finalizer(close, Context(handle[], C.sugar_context_threads(handle[])))
end

function Base.close(context::Context)
    C.sugar_context_destroy(context.handle)
    context.handle = C_NULL
    return
end

Base.show(io::IO, context::Context) = print(io, "Context(", context.threads, ")")

# The pools of calls that ask for a number of threads, and what calls use that ask for nothing.
const POOLS = Dict{Int,Context}()
const POOLS_LOCK = ReentrantLock()
const DEFAULT_CONTEXT = Ref{Union{Nothing,Context}}(nothing)

context(::Nothing) = DEFAULT_CONTEXT[]
context(given::Context) = given

context(threads) = refuse(:threads, threads, "a number of threads, a Context or nothing")

function context(threads::Integer)
    threads == 1 && return nothing
    abs(threads) <= typemax(Int32) || refuse(:threads, threads, "a number of threads up to $(C.SUGAR_MAX_THREADS)")
    lock(POOLS_LOCK) do
        get!(() -> Context(threads), POOLS, threads)
    end
end

"""
    threads!(threads)

Sets what calls use that have no keyword `threads`: a number (0: as many as the process may use), a
[`Context`](@ref), or `nothing` for the calling thread alone, as it is at first.
"""
threads!(threads::Union{Integer,Context}) = (DEFAULT_CONTEXT[] = context(threads); nothing)
threads!(::Nothing) = (DEFAULT_CONTEXT[] = nothing)
