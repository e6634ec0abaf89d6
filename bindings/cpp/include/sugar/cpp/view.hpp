// Views of the caller's memory: an address, a shape, strides; part of sugar.hpp. Nothing is copied but extents.
#ifndef SUGAR_CPP_VIEW_HPP
#define SUGAR_CPP_VIEW_HPP

#include <sugar/cpp/error.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <type_traits>
#include <utility>
#if defined(__STDCPP_BFLOAT16_T__)
#include <stdfloat>
#endif

namespace sugar {

// What elements are: float, double, f16, bf16, the compiler's own types of 16 bits, and std::uint8_t for saved
// gradients. `stored` is the type that the functions of namespace raw take.
template <class T> struct element {};
template <> struct element<float> { static constexpr sugar_data_type type{2, 32, 1}; using stored = float; };
template <> struct element<double> { static constexpr sugar_data_type type{2, 64, 1}; using stored = double; };
template <> struct element<f16> { static constexpr sugar_data_type type{2, 16, 1}; using stored = f16; };
template <> struct element<bf16> { static constexpr sugar_data_type type{4, 16, 1}; using stored = bf16; };
template <> struct element<std::uint8_t> { static constexpr sugar_data_type type{1, 8, 1}; };
#if defined(__FLT16_MANT_DIG__)
__extension__ typedef _Float16 native_f16;
template <> struct element<native_f16> : element<f16> {};
#endif
#if defined(__STDCPP_BFLOAT16_T__)
template <> struct element<std::bfloat16_t> : element<bf16> {};
#endif

static_assert(type_unsigned == 1 && type_float == 2 && type_bfloat == 4, "the codes above");

// Extents or strides that somebody else keeps: of a list in braces, an array, a container.
class extents {
public:
    extents(std::initializer_list<std::int64_t> list) noexcept : data_(std::data(list)), size_(list.size()) {}
    extents(const std::int64_t *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class C, class = std::enable_if_t<std::is_convertible_v<
                           decltype(std::data(std::declval<const C &>())), const std::int64_t *>>>
    extents(const C &list) noexcept : data_(std::data(list)), size_(std::size(list)) {}

    const std::int64_t *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

private:
    const std::int64_t *data_;
    std::size_t size_;
};

// A view of elements of a type that only the run knows. It keeps its extents, so that it may outlive what they
// came from; not the elements.
class tensor {
public:
    tensor() noexcept {}    // not defaulted: see call
    tensor(void *data, sugar_data_type type, extents shape) noexcept : data_(data), type_(type) {
        ndim_ = static_cast<std::int32_t>(std::min<std::size_t>(shape.size(), INT32_MAX));
        std::copy_n(shape.data(), kept(), shape_);
    }
    // Strides are in elements, of any sign, one for each extent: with fewer or more of them, every call
    // refuses the view.
    tensor(void *data, sugar_data_type type, extents shape, extents strides) noexcept : tensor(data, type, shape) {
        if (strides.size() != shape.size())
            ndim_ = -1;
        std::copy_n(strides.data(), kept(), strides_);
        strided_ = true;
    }
    // A view in DLPack's layout (a DLTensor, by a cast).
    explicit tensor(const sugar_tensor &other) noexcept
        : data_(other.data), type_(other.dtype), device_(other.device), ndim_(other.ndim),
          strided_(other.strides != nullptr), byte_offset_(other.byte_offset) {
        copy(other.shape, other.strides);
    }
    // One bit for each element, for saved gradients: (elements + 7) / 8 bytes.
    static tensor bits(std::uint8_t *data, extents shape) noexcept {
        return tensor(data, sugar_data_type{type_unsigned, 1, 1}, shape);
    }

    tensor(const tensor &other) noexcept { *this = other; }
    tensor &operator=(const tensor &other) noexcept {
        data_ = other.data_;
        type_ = other.type_;
        device_ = other.device_;
        ndim_ = other.ndim_;
        strided_ = other.strided_;
        byte_offset_ = other.byte_offset_;
        if (this != &other)
            copy(other.shape_, other.strided_ ? other.strides_ : nullptr);
        return *this;
    }

    // What C takes; it is valid as long as this view.
    sugar_tensor c() const noexcept {
        return {data_, device_, ndim_, type_, shape_, strided_ ? strides_ : nullptr, byte_offset_};
    }

    void *data() const noexcept { return data_; }
    std::int32_t ndim() const noexcept { return ndim_; }
    std::int64_t extent(int dimension) const noexcept { return shape_[dimension]; }
    explicit operator bool() const noexcept { return type_.bits != 0; }

protected:
    void *data_ = nullptr;

private:
    // How many extents there is room for; the library refuses more dimensions, and fewer than none.
    std::int32_t kept() const noexcept { return std::clamp<std::int32_t>(ndim_, 0, max_dimensions); }
    void copy(const std::int64_t *shape, const std::int64_t *strides) noexcept {
        std::copy_n(shape, shape ? kept() : 0, shape_);
        if (strides)
            std::copy_n(strides, kept(), strides_);
    }

    sugar_data_type type_{};
    sugar_device device_{device_cpu, 0};
    std::int32_t ndim_ = 0;
    bool strided_ = false;
    std::uint64_t byte_offset_ = 0;
    std::int64_t shape_[max_dimensions];        // the first ndim of each are set
    std::int64_t strides_[max_dimensions];
};

namespace detail {

// The elements of a std::vector, std::array, std::span, array.
template <class C>
using elements_of = std::remove_pointer_t<decltype(
    (void)std::size(std::declval<C &>()), std::data(std::declval<C &>()))>;

// The elements of a std::mdspan, or of anything with the same members.
template <class M>
using elements_of_mdspan = std::remove_pointer_t<decltype(
    (void)std::declval<const M &>().stride(0), (void)std::declval<const M &>().extent(0), (void)M::rank(),
    std::declval<const M &>().data_handle())>;

// Whether U's elements can be seen as T's: the same type, const added or not.
template <class U, class T> using same_but_const = std::enable_if_t<std::is_convertible_v<U (*)[], T (*)[]>>;

} // namespace detail

// A view of elements of type T; `view<const float>` is for inputs. An extent of more than one with a stride of 0
// repeats elements, in inputs alone.
template <class T> class view : public tensor {
    using plain = std::remove_const_t<T>;

public:
    static constexpr sugar_data_type type = element<plain>::type;

    // One dimension; or several, compact and row-major; or strided, in elements.
    view(T *data, std::int64_t size) noexcept : tensor(hidden(data), type, {size}) {}
    view(T *data, extents shape) noexcept : tensor(hidden(data), type, shape) {}
    view(T *data, extents shape, extents strides) noexcept : tensor(hidden(data), type, shape, strides) {}

    // All elements of something contiguous.
    template <class C, class = detail::same_but_const<detail::elements_of<C>, T>>
    view(C &&list) noexcept : view(std::data(list), static_cast<std::int64_t>(std::size(list))) {}

    // A std::mdspan, whatever its layout, as long as that has strides.
    template <class M, class = detail::same_but_const<detail::elements_of_mdspan<M>, T>, class = void>
    view(const M &span) noexcept : view(span, std::make_index_sequence<M::rank()>()) {}

    template <class U, class = detail::same_but_const<U, T>, class = std::enable_if_t<!std::is_same_v<U, T>>>
    view(const view<U> &other) noexcept : tensor(other) {}

    T *data() const noexcept { return static_cast<T *>(data_); }

private:
    // C has one struct for inputs and outputs: the library writes to what is passed as an output alone, and that
    // is never a view<const T>.
    static void *hidden(T *data) noexcept { return const_cast<plain *>(data); }

    template <class M, std::size_t... I>
    view(const M &span, std::index_sequence<I...>) noexcept
        : view(span.data_handle(), extents{static_cast<std::int64_t>(span.extent(I))...},
               extents{static_cast<std::int64_t>(span.stride(I))...}) {}
};

template <class T> view(T *, std::int64_t) -> view<T>;
template <class T> view(T *, extents) -> view<T>;
template <class T> view(T *, extents, extents) -> view<T>;
template <class T> view(T *, std::initializer_list<std::int64_t>) -> view<T>;
template <class T> view(T *, std::initializer_list<std::int64_t>, std::initializer_list<std::int64_t>) -> view<T>;
template <class C, class T = detail::elements_of<C>> view(C &&) -> view<T>;
template <class M, class T = detail::elements_of_mdspan<M>, class = void> view(const M &) -> view<T>;

namespace detail {

template <class A, class P = std::remove_cv_t<std::remove_reference_t<A>>> struct view_of_type {
    using type = decltype(view(std::declval<A>()));
};
template <class A, class T> struct view_of_type<A, view<T>> { using type = const view<T> &; };
template <class A> struct view_of_type<A, tensor> { using type = const tensor &; };

// The view of whatever a call was given; a view is passed on as it is.
template <class A> using view_of = typename view_of_type<A>::type;

// An output that may be nullptr, as C takes it.
template <class A, class = std::decay_t<A>> struct output {
    explicit output(A &out) noexcept : view(out), c(view.c()) {}
    const sugar_tensor *get() const noexcept { return &c; }

    view_of<A> view;
    sugar_tensor c;
};
template <class A> struct output<A, std::nullptr_t> {
    explicit output(const std::nullptr_t &) noexcept {}
    const sugar_tensor *get() const noexcept { return nullptr; }

    tensor view;        // of elements of any type
};

} // namespace detail
} // namespace sugar

#endif
