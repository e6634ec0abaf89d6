// libsugar for C++17 and later: activation functions with surrogate gradients. Header only, over <sugar/sugar.h>,
// whose rules hold here too.
//
//     sugar::activation relu("relu~bsilu(alpha=1.67)");
//     std::vector<float> x = ..., y(x.size()), dx(x.size());
//     relu.forward(x, y);                                  y  = f(x)
//     relu.backward(x, dy, dx);                            dx = dy * g'(x)
//     relu.forward(sugar::view(p, {rows, columns}, {1, rows}), sugar::view(q, {rows, columns}));
//
// What is passed as x, y, dy and dx is a view (cpp/view.hpp) or what makes one: a std::vector, std::array,
// std::span, std::mdspan. Elements are float, double, sugar::f16, sugar::bf16, or the compiler's own types of 16
// bits; a sugar::tensor has any. Nothing is copied. Errors throw sugar::error, or set a code that is passed last
// (cpp/error.hpp).
#ifndef SUGAR_SUGAR_HPP
#define SUGAR_SUGAR_HPP

#include <sugar/cpp/error.hpp>
#include <sugar/cpp/handle.hpp>
#include <sugar/cpp/view.hpp>

#include <iterator>
#include <memory>
#include <string_view>

namespace sugar {

// The version of the library in use: major * 10000 + minor * 100 + patch.
inline std::int32_t version() noexcept { return raw::version(); }

// A knot of a table: where it is, and the value and the slope there.
struct knot {
    double x, value, slope;
};

// Knots that somebody else keeps: of a list in braces, an array, a container.
class knots {
public:
    knots() noexcept = default;
    knots(std::initializer_list<knot> list) noexcept : data_(std::data(list)), size_(list.size()) {}
    template <class C, class = std::enable_if_t<std::is_convertible_v<decltype(std::data(std::declval<const C &>())),
                                                                      const knot *>>>
    knots(const C &list) noexcept : data_(std::data(list)), size_(std::size(list)) {}

    const double *data() const noexcept { return data_ ? &data_->x : nullptr; }
    std::size_t size() const noexcept { return size_; }

private:
    static_assert(sizeof(knot) == 3 * sizeof(double), "rows of three numbers");

    const knot *data_ = nullptr;
    std::size_t size_ = 0;
};

// An activation: a forward function and its surrogate. Move-only and immutable: any number of threads may use one
// at the same time. Where its making failed with a code, it is empty.
class activation {
public:
    // The spec is "forward(name=value)~surrogate(name=value)"; the level, an instruction set: null for the best.
    explicit activation(std::string_view spec, on_error error SUGAR_HPP_DEFAULT) : activation(spec, nullptr, error) {}
    activation(std::string_view spec, const char *level, on_error error SUGAR_HPP_DEFAULT)
        : activation(spec, level, knots(), error) {}
    // The table is the function that the spec calls "table": a cubic Hermite spline. It is copied.
    activation(std::string_view spec, const char *level, knots table, on_error error SUGAR_HPP_DEFAULT) {
        auto options = detail::sized<sugar_activation_options>();
        options.level = level;
        options.table = table.data();
        options.table_knots = table.size();
        sugar_activation *made = nullptr;
        error.settle(raw::activation_create_with_options(&made, spec.data() ? spec.data() : "", spec.size(), &options));
        handle_.reset(made);
    }

    // y = f(x). The same view twice: in place.
    template <class X, class Y>
    void forward(const X &x, Y &&y, const call &options SUGAR_HPP_DEFAULT, on_error error SUGAR_HPP_DEFAULT) const {
        detail::view_of<const X &> from(x);
        detail::view_of<Y> to(y);
        check_output<decltype(to)>();
        check_same<decltype(from), decltype(to)>();
        const sugar_tensor c_from = from.c(), c_to = to.c();
        error.settle(raw::forward(get(), &c_from, &c_to, c_options(options).get()));
    }

    // dx = dy * g'(x). dx may be the same view as x or dy.
    template <class X, class DY, class DX>
    void backward(const X &x, const DY &dy, DX &&dx, const call &options SUGAR_HPP_DEFAULT,
                  on_error error SUGAR_HPP_DEFAULT) const {
        detail::view_of<const DY &> gradient(dy);
        detail::view_of<DX> to(dx);
        check_output<decltype(to)>();
        check_same<decltype(gradient), decltype(to)>();
        const sugar_tensor c_gradient = gradient.c(), c_to = to.c();
        if constexpr (std::is_same_v<X, std::nullptr_t>) {     // the options have a saved gradient instead
            error.settle(raw::backward(get(), nullptr, &c_gradient, &c_to, c_options(options).get()));
        } else {
            detail::view_of<const X &> from(x);
            check_same<decltype(from), decltype(to)>();
            const sugar_tensor c_from = from.c();
            error.settle(raw::backward(get(), &c_from, &c_gradient, &c_to, c_options(options).get()));
        }
    }

    // The backward pass of backward itself: from v, the gradient that reaches its dx, ddy = v * g'(x), the one that
    // goes on to its dy, and dx = v * dy * g''(x), the one that goes on to its x. One of them may be nullptr; each may
    // be the same view as x, dy or v.
    template <class X, class DY, class V, class DDY, class DX>
    void backward_twice(const X &x, const DY &dy, const V &v, DDY &&ddy, DX &&dx,
                        const call &options SUGAR_HPP_DEFAULT, on_error error SUGAR_HPP_DEFAULT) const {
        detail::view_of<const X &> from(x);
        detail::view_of<const DY &> gradient(dy);
        detail::view_of<const V &> reached(v);
        const detail::output<DDY> first(ddy);
        const detail::output<DX> second(dx);
        check_output<decltype(first.view)>();
        check_output<decltype(second.view)>();
        check_same<decltype(from), decltype(gradient)>();
        check_same<decltype(from), decltype(reached)>();
        check_same<decltype(from), decltype(first.view)>();
        check_same<decltype(from), decltype(second.view)>();
        const sugar_tensor c_from = from.c(), c_gradient = gradient.c(), c_reached = reached.c();
        error.settle(raw::backward_twice(get(), &c_from, &c_gradient, &c_reached, first.get(), second.get(),
                                         c_options(options).get()));
    }

    // Vectors in the manner of the BLAS: the elements of a vector are `step` apart; with a negative step the
    // pointer still leads to the lowest address.
    template <class T>
    void forward(std::int64_t n, const T *x, std::int64_t step_x, T *y, std::int64_t step_y,
                 const call &options SUGAR_HPP_DEFAULT, on_error error SUGAR_HPP_DEFAULT) const {
        error.settle(raw::forward(get(), n, stored(x), step_x, stored(y), step_y, c_options(options).get()));
    }
    template <class T>
    void backward(std::int64_t n, const T *x, std::int64_t step_x, const T *dy, std::int64_t step_dy, T *dx,
                  std::int64_t step_dx, const call &options SUGAR_HPP_DEFAULT,
                  on_error error SUGAR_HPP_DEFAULT) const {
        error.settle(raw::backward(get(), n, stored(x), step_x, stored(dy), step_dy, stored(dx), step_dx,
                                   c_options(options).get()));
    }

    // Views of other libraries, in DLPack's layout, and options as C has them.
    void forward(const sugar_tensor *x, const sugar_tensor *y, const sugar_call_options *options,
                 on_error error SUGAR_HPP_DEFAULT) const {
        error.settle(raw::forward(get(), x, y, options));
    }
    void backward(const sugar_tensor *x, const sugar_tensor *dy, const sugar_tensor *dx,
                  const sugar_call_options *options, on_error error SUGAR_HPP_DEFAULT) const {
        error.settle(raw::backward(get(), x, dy, dx, options));
    }

    void backward_twice(const sugar_tensor *x, const sugar_tensor *dy, const sugar_tensor *v, const sugar_tensor *ddy,
                        const sugar_tensor *dx, const sugar_call_options *options,
                        on_error error SUGAR_HPP_DEFAULT) const {
        error.settle(raw::backward_twice(get(), x, dy, v, ddy, dx, options));
    }

    // The canonical spec, and the level in use; "" of an empty activation.
    std::string_view spec() const noexcept { return text(raw::activation_spec(get())); }
    std::string_view level() const noexcept { return text(raw::activation_level(get())); }

    // What the spec says, in parts, what calls accept, and the bounds of the derivative. Its pointers lead into this
    // activation.
    sugar_activation_info info(on_error error SUGAR_HPP_DEFAULT) const {
        auto found = detail::sized<sugar_activation_info>();
        error.settle(raw::activation_get_info(get(), &found));
        return found;
    }

    const sugar_activation *get() const noexcept { return handle_.get(); }
    explicit operator bool() const noexcept { return get() != nullptr; }

private:
    template <class View>
    using element_of = std::remove_pointer_t<decltype(std::declval<const std::remove_reference_t<View> &>().data())>;
    template <class To> static constexpr void check_output() {
        static_assert(!std::is_const_v<element_of<To>>, "an output whose elements are const");
    }
    template <class From, class To> static constexpr void check_same() {
        using from = std::remove_const_t<element_of<From>>;
        using to = std::remove_const_t<element_of<To>>;
        static_assert(std::is_same_v<from, to> || std::is_void_v<from> || std::is_void_v<to>,
                      "operands whose elements are of different types");
    }
    static std::string_view text(const char *constant) noexcept { return constant ? constant : ""; }

    template <class T> static auto stored(T *data) noexcept {
        using target = typename element<std::remove_const_t<T>>::stored;
        return reinterpret_cast<std::conditional_t<std::is_const_v<T>, const target, target> *>(data);
    }

    std::unique_ptr<sugar_activation, detail::destroyer<raw::activation_destroy>> handle_;
};

// ---- Introspection

namespace detail {

// What get(0) ... get(count - 1) give, as a range.
template <class Get> class sequence {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = decltype(std::declval<const Get &>()(0));
        using difference_type = std::int32_t;
        using pointer = void;
        using reference = value_type;

        iterator() = default;
        iterator(const Get *get, std::int32_t index) noexcept : get_(get), index_(index) {}
        value_type operator*() const { return (*get_)(index_); }
        iterator &operator++() noexcept { return ++index_, *this; }
        iterator operator++(int) noexcept { return {get_, index_++}; }
        friend bool operator==(const iterator &a, const iterator &b) noexcept { return a.index_ == b.index_; }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept { return a.index_ != b.index_; }

    private:
        const Get *get_ = nullptr;
        std::int32_t index_ = 0;
    };

    sequence(Get get, std::int32_t count) noexcept : get_(get), count_(count) {}
    iterator begin() const noexcept { return {&get_, 0}; }
    iterator end() const noexcept { return {&get_, count_}; }
    std::int32_t size() const noexcept { return count_; }
    auto operator[](std::int32_t index) const { return get_(index); }

private:
    Get get_;
    std::int32_t count_;
};

struct get_parameter {
    std::int32_t kind;
    sugar_parameter operator()(std::int32_t index) const noexcept {
        auto found = sized<sugar_parameter>();
        raw::kind_get_parameter(kind, index, &found);
        return found;
    }
};

struct get_level {
    sugar_level operator()(std::int32_t index) const noexcept {
        auto found = sized<sugar_level>();
        raw::level_get(index, &found);
        return found;
    }
};

} // namespace detail

// A kind of the catalogue, with its parameters as a range.
struct kind : sugar_kind {
    std::int32_t index = 0;
    detail::sequence<detail::get_parameter> parameters() const noexcept { return {{index}, parameter_count}; }
};

namespace detail {

struct get_kind {
    kind operator()(std::int32_t index) const noexcept {
        kind found{sized<sugar_kind>(), index};
        raw::kind_get(index, &found);
        return found;
    }
};

} // namespace detail

// All kinds, and all instruction sets, as ranges:
//
//     for (const sugar::kind &kind : sugar::kinds())
//         for (const sugar_parameter &parameter : kind.parameters())
inline detail::sequence<detail::get_kind> kinds() noexcept { return {{}, raw::kind_count()}; }
inline detail::sequence<detail::get_level> levels() noexcept { return {{}, raw::level_count()}; }

} // namespace sugar

#endif
