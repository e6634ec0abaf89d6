# JSON, as far as the shared vectors need it: whole numbers without exponents, escapes of one character.

module Json

"Parses a text: objects become `Dict{String,Any}`, lists `Vector{Any}`, null `nothing`."
function parse(text::AbstractString)
    value, at = parse_value(Vector{UInt8}(text), 1)
    return value
end

blank(text, at) = (while text[at] in b" \t\r\n"; at += 1; end; at)

function parse_value(text, at)
    at = blank(text, at)
    first = Char(text[at])
    first == '{' && return parse_object(text, at + 1)
    first == '[' && return parse_list(text, at + 1)
    first == '"' && return parse_string(text, at + 1)
    first == 'n' && return nothing, at + 4
    first == 't' && return true, at + 4
    first == 'f' && return false, at + 5
    return parse_number(text, at)
end

function parse_object(text, at)
    object = Dict{String,Any}()
    at = blank(text, at)
    while text[at] != UInt8('}')
        key, at = parse_value(text, at)
        at = blank(text, at)
        text[at] == UInt8(':') || error("byte $at: expected ':'")
        object[key], at = parse_value(text, at + 1)
        at = after_comma(text, at, '}')
    end
    return object, at + 1
end

function parse_list(text, at)
    list = Any[]
    at = blank(text, at)
    while text[at] != UInt8(']')
        value, at = parse_value(text, at)
        push!(list, value)
        at = after_comma(text, at, ']')
    end
    return list, at + 1
end

function after_comma(text, at, closing)
    at = blank(text, at)
    text[at] == UInt8(closing) && return at
    text[at] == UInt8(',') || error("byte $at: expected ',' or '$closing'")
    return blank(text, at + 1)
end

const ESCAPES = Dict('n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f')

function parse_string(text, at)
    bytes = UInt8[]
    while text[at] != UInt8('"')
        if text[at] == UInt8('\\')
            at += 1
            escaped = Char(text[at])
            if escaped == 'u'
                append!(bytes, codeunits(string(Char(Base.parse(UInt16, String(text[at+1:at+4]); base = 16)))))
                at += 4
            else
                push!(bytes, UInt8(get(ESCAPES, escaped, escaped)))
            end
        else
            push!(bytes, text[at])
        end
        at += 1
    end
    return String(bytes), at + 1
end

function parse_number(text, at)
    last = at
    while last <= length(text) && Char(text[last]) in "+-.eE0123456789"
        last += 1
    end
    digits = String(text[at:last-1])
    whole = tryparse(Int64, digits)
    return something(whole, tryparse(Float64, digits)), last
end

end
