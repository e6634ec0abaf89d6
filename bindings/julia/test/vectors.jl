# The shared vectors, all of them, bit for bit, through the low-level layer. bindings/vectors/README.md says what the
# keys mean.

const WIDTH = Dict("f32" => 4, "f64" => 8, "f16" => 2, "bf16" => 2, "u8" => 1)
const WORD = Dict(8 => UInt64, 4 => UInt32, 2 => UInt16, 1 => UInt8)
const INFINITY = Dict("f32" => 0x7f800000, "f64" => 0x7ff0000000000000, "f16" => 0x7c00, "bf16" => 0x7f80)

"The elements of a memory, as their bits."
function words(block, key)
    text = something(block[key], block["before"])
    width = WIDTH[block["type"]]
    return [Base.parse(WORD[width], text[i:i+2width-1]; base = 16) for i in 1:2width:length(text)]
end

"The same bits, or two NaNs."
function same_bits(type, a, b)
    a == b && return true
    type == "u8" && return false
    magnitude = typemax(a) >> 1
    return a & magnitude > INFINITY[type] && b & magnitude > INFINITY[type]
end

double(bits) = reinterpret(Float64, Base.parse(UInt64, bits; base = 16))
hexadecimal(x::Float64) = isnan(x) ? "7ff8000000000000" : string(reinterpret(UInt64, x); base = 16, pad = 16)
hexadecimal(x::Integer) = x

"One case, made and called. `keep` holds what addresses lead to, the memories included."
mutable struct Replay
    case::Dict{String,Any}
    memories::Vector{Any}
    keep::Vector{Any}
    activation::Ptr{C.sugar_activation}
    monitor::Ptr{C.sugar_monitor}
end

function replay(case)
    run = Replay(case, [words(block, "before") for block in case["memories"]], [], C_NULL, C_NULL)
    status = make(run)
    if status == C.SUGAR_OK && case["call"] != "create"
        keep = run.keep
        memories = run.memories
        status = GC.@preserve keep memories call(run)
    end
    return run, status, status == C.SUGAR_OK ? "" : unsafe_string(C.sugar_last_error())
end

function close_replay(run)
    C.sugar_activation_destroy(run.activation)
    C.sugar_monitor_destroy(run.monitor)
end

function make(run)
    made = run.case["monitor"]
    if made !== nothing
        options = C.sugar_monitor_options(axis_from_end = made["axis_from_end"], bins = made["bins"],
                                          threshold = double(made["threshold"]), minimum = double(made["minimum"]),
                                          maximum = double(made["maximum"]), every = made["every"])
        monitor = Ref{Ptr{C.sugar_monitor}}(C_NULL)
        @test C.sugar_monitor_create(monitor, made["units"], Ref(options)) == C.SUGAR_OK
        run.monitor = monitor[]
    end
    spec = run.case["spec"]
    spec === nothing && return C.SUGAR_OK
    level, table = run.case["level"], run.case["table"]
    knots = table === nothing ? Float64[] : double.(table)
    activation = Ref{Ptr{C.sugar_activation}}(C_NULL)
    GC.@preserve level knots begin
        options = C.sugar_activation_options(
            level = level === nothing ? Cstring(C_NULL) : Base.unsafe_convert(Cstring, level),
            table = isempty(knots) ? C_NULL : pointer(knots), table_knots = length(knots) ÷ 3)
        status = C.sugar_activation_create_with_options(activation, spec, sizeof(spec), Ref(options))
    end
    run.activation = activation[]
    return status
end

address(run, operand) = operand["memory"] === nothing ? C_NULL :
    Ptr{Cvoid}(pointer(run.memories[operand["memory"]+1])) + operand["data"]

"An array that lives as long as the replay, as an address."
function kept(run, array)
    push!(run.keep, array)
    return pointer(array)
end

function tensor(run, role)
    operand = run.case[role]
    operand === nothing && return C_NULL
    code, bits, lanes = operand["dtype"]
    strides = operand["strides"]
    return kept(run, [C.sugar_tensor(
        data = address(run, operand), device = C.sugar_device(operand["device"], 0),
        ndim = length(operand["shape"]), dtype = C.sugar_data_type(code, bits, lanes),
        shape = kept(run, Vector{Int64}(operand["shape"])),
        strides = strides === nothing ? C_NULL : kept(run, Vector{Int64}(strides)),
        byte_offset = operand["byte_offset"])])
end

function call_options(run)
    random = run.case["random"]
    numbers = random === nothing ? C_NULL : kept(run, [C.sugar_random(
        seed = Base.parse(UInt64, random[1]; base = 16), offset = Base.parse(UInt64, random[2]; base = 16))])
    return Ref(C.sugar_call_options(
        flags = run.case["flags"], parameter = tensor(run, "parameter"),
        parameter_gradient = tensor(run, "parameter_gradient"), saved_gradient = tensor(run, "saved_gradient"),
        bias = tensor(run, "bias"), bias_gradient = tensor(run, "bias_gradient"), gate = tensor(run, "gate"),
        gate_gradient = tensor(run, "gate_gradient"), random = numbers,
        monitor = run.case["call"] == "observe" ? C_NULL : run.monitor))
end

"The arguments of a call on vectors: addresses and steps."
function vectors(run, roles)
    arguments = []
    for role in roles
        operand = run.case[role]
        append!(arguments, operand === nothing ? (C_NULL, 0) : (address(run, operand), operand["step"]))
    end
    return arguments
end

function call(run)
    name = run.case["call"]
    options = call_options(run)
    name == "observe" && return C.sugar_monitor_observe(run.monitor, tensor(run, "x"), options)
    roles = startswith(name, "forward") ? ("x", "y") :
        name == "backward_twice" ? ("x", "dy", "v", "ddy", "dx") : ("x", "dy", "dx")
    call = getfield(C, Symbol("sugar_", name))
    endswith(name, "_" * run.case["type"]) &&
        return call(run.activation, run.case["n"], vectors(run, roles)..., options)
    return call(run.activation, map(role -> tensor(run, role), roles)..., options)
end

members(struct_) = [hexadecimal(getfield(struct_, i)) for i in 2:fieldcount(typeof(struct_))]

"What the monitor saw, as in the vectors."
function seen(run)
    summary = Ref(C.sugar_monitor_summary())
    @test C.sugar_monitor_get(run.monitor, summary) == C.SUGAR_OK
    counts = zeros(Int64, C.SUGAR_MONITOR_BINS)
    edges = zeros(C.SUGAR_MONITOR_BINS - 1)
    @test C.sugar_monitor_get_histogram(run.monitor, counts, edges, length(counts)) == C.SUGAR_OK
    dead = zeros(Int64, 64)
    found = Ref{Int64}(0)
    @test C.sugar_monitor_find_dead(run.monitor, 0.25, dead, length(dead), found) == C.SUGAR_OK
    return Dict{String,Any}("summary" => members(summary[]), "counts" => counts, "edges" => hexadecimal.(edges),
                            "units" => [members(unit(run, i)) for i in 0:summary[].units-1],
                            "dead" => dead[1:found[]])
end

function unit(run, index)
    unit = Ref(C.sugar_monitor_unit())
    @test C.sugar_monitor_get_unit(run.monitor, index, unit) == C.SUGAR_OK
    return unit[]
end

function created(run)
    info = Ref(C.sugar_activation_info())
    @test C.sugar_activation_get_info(run.activation, info) == C.SUGAR_OK
    return Dict{String,Any}("spec" => unsafe_string(info[].spec),
                            "minimum" => hexadecimal(info[].gradient_minimum),
                            "maximum" => hexadecimal(info[].gradient_maximum))
end

"Whether the case went as it should; false names nothing, so that hundreds of passing cases stay quiet."
function compare(case)
    run, status, message = replay(case)
    @test (status, message) == (case["status"], case["message"])
    for (block, memory) in zip(case["memories"], run.memories)
        expected = words(block, "after")
        @test length(memory) == length(expected)
        @test all(same_bits.(block["type"], memory, expected))
    end
    case["created"] === nothing || @test created(run) == case["created"]
    case["monitor"] === nothing || @test seen(run) == case["monitor"]["seen"]
    close_replay(run)
end

@testset "shared vectors" begin
    vectors = Json.parse(read(joinpath(BINDINGS, "vectors", "vectors.json"), String))
    @test length(vectors["cases"]) == vectors["count"]
    for case in vectors["cases"]
        @testset "$(case["name"])" begin
            compare(case)
        end
    end
end
