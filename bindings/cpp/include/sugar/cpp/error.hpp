// Errors: exceptions, or codes where a call names one; part of sugar.hpp.
//
// Every call that can fail takes, last, an on_error. Left out, the call throws sugar::error; given a
// std::error_code or a sugar::status, the call sets that instead. With SUGAR_HPP_NO_EXCEPTIONS, or where the
// compiler has none, it cannot be left out.
#ifndef SUGAR_CPP_ERROR_HPP
#define SUGAR_CPP_ERROR_HPP

#include <sugar/cpp/lowlevel.hpp>

#include <stdexcept>
#include <string>
#include <system_error>

#if !defined(__cpp_exceptions) && !defined(SUGAR_HPP_NO_EXCEPTIONS)
#define SUGAR_HPP_NO_EXCEPTIONS
#endif

// Behind the last parameters of a call that can fail.
#ifdef SUGAR_HPP_NO_EXCEPTIONS
#define SUGAR_HPP_DEFAULT
#else
#define SUGAR_HPP_DEFAULT = {}
#endif

namespace std {
template <> struct is_error_code_enum<sugar::status> : true_type {};
}

namespace sugar {

// The message of the last failed call on this thread; never null.
inline const char *last_error() noexcept { return raw::last_error(); }

// The category of error codes; its messages are those of the header, the call's own is last_error().
inline const std::error_category &category() noexcept {
    struct category_of_status final : std::error_category {
        const char *name() const noexcept override { return "sugar"; }
        std::string message(int value) const override { return meaning(static_cast<status>(value)); }
        std::error_condition default_error_condition(int value) const noexcept override {
            switch (static_cast<status>(value)) {
            case status::error_argument:
            case status::error_spec:
            case status::error_overlap:
            case status::error_value:
            case status::error_data: return std::errc::invalid_argument;
            case status::error_unsupported: return std::errc::not_supported;
            case status::error_out_of_memory: return std::errc::not_enough_memory;
            default: return {value, *this};
            }
        }
    };
    static const category_of_status instance;
    return instance;
}

inline std::error_code make_error_code(status value) noexcept { return {static_cast<int>(value), category()}; }

// What calls throw: code() is the status, what() the library's message alone.
class error : public std::system_error {
public:
    error(status value, const char *message) : std::system_error(make_error_code(value)), message_(message) {}
    const char *what() const noexcept override { return message_.what(); }

private:
    std::runtime_error message_;    // a string whose copies cannot throw
};

// Where a call reports: see the top of this file.
class on_error {
public:
#ifndef SUGAR_HPP_NO_EXCEPTIONS
    on_error() noexcept = default;
#endif
    on_error(std::error_code &code) noexcept : code_(&code) {}
    on_error(status &value) noexcept : status_(&value) {}

    // True if the call succeeded.
    bool settle(sugar_status result) const {
        if (code_)
            *code_ = result ? make_error_code(static_cast<status>(result)) : std::error_code();
        else if (status_)
            *status_ = static_cast<status>(result);
#ifndef SUGAR_HPP_NO_EXCEPTIONS
        else if (result)
            throw error(static_cast<status>(result), last_error());
#endif
        return result == SUGAR_OK;
    }

private:
    std::error_code *code_ = nullptr;
    status *status_ = nullptr;
};

} // namespace sugar

#endif
