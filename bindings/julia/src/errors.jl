# The library's errors as exceptions.

"""
    SugarError(status, message)

A call that the library refused: `status` is one of the `SUGAR_ERROR_` numbers of `LibSugar.LowLevel`, and `message`
the library's own line, which names the argument, what was found and what was expected.
"""
struct SugarError <: Exception
    status::Int32
    message::String
end

Base.showerror(io::IO, failure::SugarError) =
    print(io, "SugarError: ", failure.message, " (", unsafe_string(C.sugar_status_name(failure.status)), ")")

"Turns a status into an exception. To be called on the thread that failed, before anything else fails there."
check(status::Int32) = status == C.SUGAR_OK ? nothing : throw_last(status)

@noinline throw_last(status::Int32) = throw(SugarError(status, unsafe_string(C.sugar_last_error())))
