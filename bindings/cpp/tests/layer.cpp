// What sugar.hpp adds to the functions: errors, handles, views, options, threads, the catalogue. With
// -fno-exceptions the same, by codes alone.
#include <sugar/sugar.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>
#if __cplusplus >= 202002L
#include <ranges>
#include <span>
static_assert(std::ranges::input_range<decltype(sugar::kinds())>);
#endif

namespace {

int passed, failed;

void check(bool right, const char *what, int line) {
    right ? passed++ : failed++;
    if (!right)
        std::printf("FAILED: line %d: %s\n", line, what);
}

#define CHECK(what) check((what), #what, __LINE__)

using Floats = std::vector<float>;

bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

const Floats input{-2, -0.5f, 0.5f, 2, -1, 3};

template <class T> float relu_of(T x) { return x > 0 ? static_cast<float>(x) : 0; }

// Something with the members of std::mdspan, two-dimensional, its columns next to each other.
template <class T> struct Columns {
    T *data;
    std::int64_t rows, columns;
    static constexpr std::size_t rank() { return 2; }
    T *data_handle() const { return data; }
    std::int64_t extent(std::size_t i) const { return i ? columns : rows; }
    std::int64_t stride(std::size_t i) const { return i ? rows : 1; }
};

void handles() {
    static_assert(!std::is_copy_constructible_v<sugar::activation> && !std::is_copy_constructible_v<sugar::context>
                  && !std::is_copy_constructible_v<sugar::monitor>);
    static_assert(std::is_nothrow_move_constructible_v<sugar::activation>
                  && std::is_nothrow_move_assignable_v<sugar::monitor>
                  && std::is_nothrow_move_assignable_v<sugar::context>);
    std::error_code code;
    sugar::activation a("relu ~ bsilu", code);
    sugar::activation b(std::move(a));
    CHECK(!code && !a && b && b.spec() == "relu~bsilu(alpha=1.67)");
    a = std::move(b);
    CHECK(a && !b && b.spec().empty() && b.level().empty() && !a.level().empty());
    const sugar::activation scalar("relu", "scalar", code);
    CHECK(scalar.level() == "scalar");
    const sugar::activation learned("prelu(alpha=0.5)~bsilu(domain=negative,blend=0.25)", code);
    const sugar_activation_info info = learned.info(code);
    CHECK(!code && info.spec == learned.spec() && info.spec_length == learned.spec().size());
    CHECK(info.forward_parameter_count == 1 && info.forward_parameters[0] == 0.5);
    CHECK(sugar::kinds()[info.surrogate_kind].name == std::string("bsilu"));
    CHECK(info.domain == sugar::domain_negative && info.blend == 0.25);
    CHECK(info.capabilities == (sugar::can_learn | sugar::can_save_byte | sugar::can_differentiate_twice));
    b.info(code);
    CHECK(code == sugar::status::error_argument);
    CHECK(sugar::version() == sugar::version_major * 10000 + sugar::version_minor * 100 + sugar::version_patch);
}

void codes() {
    std::error_code code;
    sugar::activation none("rleu", code);
    CHECK(!none && code == sugar::status::error_spec && code == std::errc::invalid_argument);
    CHECK(contains(sugar::last_error(), "relu") && code.category() == sugar::category());
    CHECK(code.message() == "a spec string does not parse, or a value in it is out of its range");
    sugar::status status = sugar::status::ok;
    Floats y(5);
    const sugar::activation relu("relu", code);
    CHECK(!code);
    relu.forward(input, y, {}, status);
    CHECK(status == sugar::status::error_argument && contains(sugar::last_error(), "y: shape (5"));
    relu.forward(sugar::view(input.data(), {2, 3}, {3}), sugar::view(y.data(), {2, 3}), {}, code);
    CHECK(code == sugar::status::error_argument);
    relu.forward(sugar::view(input.data(), std::vector<std::int64_t>(65, 1)), y, {}, code);
    CHECK(code == sugar::status::error_argument && contains(sugar::last_error(), "65"));
    none.forward(input, y, {}, code);
    CHECK(code == sugar::status::error_argument);
    sugar::activation("relu", "mmx", status);
    CHECK(status == sugar::status::error_unsupported);
    CHECK(std::string(sugar::meaning(static_cast<sugar::status>(-99))) == "unknown status");
}

#ifndef SUGAR_HPP_NO_EXCEPTIONS
void exceptions() {
    std::string message;
    std::error_code code;
    try {
        sugar::activation("relu(alpha=1)");
    } catch (const sugar::error &error) {
        message = error.what();
        code = error.code();
    }
    CHECK(code == sugar::status::error_spec && !message.empty() && message == sugar::last_error());
    message.clear();
    try {
        sugar::activation("relu").forward(input, Floats(1));
    } catch (const std::system_error &error) {
        message = error.what();
    }
    CHECK(contains(message, "y: shape (1,)"));
    message.clear();
    try {
        sugar::monitor(0);
    } catch (const std::exception &error) {
        message = error.what();
    }
    CHECK(contains(message, "units"));
}
#endif

void views() {
    std::error_code code;
    const sugar::activation relu("relu", code);
    float y[6];
    relu.forward(input, y, {}, code);
    CHECK(!code && y[0] == 0 && y[5] == 3);

    std::array<float, 6> reversed{};    // of six elements, the last one first
    relu.forward(input, sugar::view(reversed.data() + 5, {6}, {-1}), {}, code);
    CHECK(!code && reversed[0] == 3 && reversed[5] == 0);

    Floats columns(6);                  // two rows of three, transposed
    relu.forward(sugar::view(input.data(), {2, 3}), Columns<float>{columns.data(), 2, 3}, {}, code);
    CHECK(!code && columns == Floats({0, 2, 0, 0, 0.5f, 3}));

    Floats in_place = input;
    relu.forward(in_place, in_place, {}, code);
    CHECK(!code && in_place == Floats(y, y + 6));

    const float one = 1;                // a gradient that is broadcast
    Floats dx(6);
    relu.backward(input, sugar::view(&one, {6}, {0}), dx, {}, code);
    CHECK(!code && dx == Floats({0, 0, 1, 1, 0, 1}));
    relu.backward(sugar::view(input.data(), 6), sugar::view(&one, {6}, {0}), dx, sugar::call().accumulate(), code);
    CHECK(!code && dx == Floats({0, 0, 2, 2, 0, 2}));

    sugar::view<float> kept(y, 1);
    {
        const std::vector<std::int64_t> shape{3}, strides{2};
        kept = sugar::view(y, shape, strides);
    }
    const sugar::view<const float> input_view = kept;
    CHECK(input_view.ndim() == 1 && input_view.extent(0) == 3 && input_view.data() == y);
    Floats short_y(3);
    relu.forward(input_view, short_y, {}, code);
    CHECK(!code && short_y == Floats({0, 0.5f, 0}));
    const sugar::tensor any(input_view.c());
    relu.forward(any, short_y, {}, code);
    CHECK(!code);
#if __cplusplus >= 202002L
    relu.forward(std::span(input), std::span(y), {}, code);
    CHECK(!code && y[3] == 2);
#endif
}

template <class T> void elements(const T (&x)[2], const T (&expected)[2]) {
    std::error_code code;
    const sugar::activation relu("relu", code);
    T y[2], flat[2];
    relu.forward(x, y, {}, code);
    relu.forward(2, x, 1, flat, 1, {}, code);
    CHECK(!code && !std::memcmp(y, expected, sizeof y) && !std::memcmp(flat, expected, sizeof y));
    T dx[2];
    relu.backward(2, x, 1, expected, 1, dx, 1, {}, code);
    CHECK(!code && !std::memcmp(dx, expected, sizeof dx));
}

void all_elements() {
    elements<float>({-2, 3}, {0, 3});
    elements<double>({-2, 3}, {0, 3});
    elements<sugar::f16>({{0xc000}, {0x4200}}, {{0}, {0x4200}});
    elements<sugar::bf16>({{0xc000}, {0x4040}}, {{0}, {0x4040}});
#if defined(__FLT16_MANT_DIG__)
    using half = sugar::native_f16;
    const half negative = static_cast<half>(-2.0f), zero = static_cast<half>(0.0f), three = static_cast<half>(3.0f);
    elements<half>({negative, three}, {zero, three});
#endif
}

void options() {
    std::error_code code;
    const sugar::activation relu("relu", code);
    Floats y(6), dx(6), dy(6, 1);
    std::uint8_t bits[1], bytes[6];
    relu.forward(input, y, sugar::call().saved_gradient(sugar::tensor::bits(bits, {6})), code);
    CHECK(!code && bits[0] == 0x2c);
    relu.backward(nullptr, dy, dx, sugar::call().saved_gradient(sugar::tensor::bits(bits, {6})), code);
    CHECK(!code && dx == Floats({0, 0, 1, 1, 0, 1}));
    const sugar::call kept = sugar::call().saved_gradient(sugar::view(bytes)).temporal();
    relu.forward(input, y, kept, code);
    CHECK(!code && bytes[0] == 0 && bytes[5] == 255);
    relu.backward(y, dy, dx, sugar::call().from_output(), code);
    CHECK(!code && dx == Floats({0, 0, 1, 1, 0, 1}));

    const sugar::activation prelu("prelu", code);
    const float slopes[2] = {0.5f, 0.25f};      // two channels of three
    float gradient[2];
    const sugar::view channels(slopes, {2, 1});
    prelu.forward(sugar::view(input.data(), {2, 3}), sugar::view(y.data(), {2, 3}),
                  sugar::call().parameter(channels), code);
    CHECK(!code && y == Floats({-1, -0.25f, 0.5f, 2, -0.25f, 3}));
    prelu.backward(sugar::view(input.data(), {2, 3}), sugar::view(dy.data(), {2, 3}), sugar::view(dx.data(), {2, 3}),
                   sugar::call().parameter(channels).parameter_gradient(sugar::view(gradient, {2, 1})), code);
    CHECK(!code && gradient[0] == -2.5f && gradient[1] == -1);
    prelu.backward(sugar::view(input.data(), {2, 3}), sugar::view(dy.data(), {2, 3}), sugar::view(dx.data(), {2, 3}),
                   sugar::call().parameter_gradient(sugar::view(gradient, {2, 3}, {1, 0})), code);
    CHECK(code == sugar::status::error_overlap && gradient[0] == -2.5f);

    const sugar::activation rrelu("rrelu", code);
    Floats first(6), second(6);
    rrelu.forward(input, first, sugar::call().random(42), code);
    rrelu.forward(input, second, sugar::call().random(42, 0), code);
    CHECK(!code && first == second);
    rrelu.forward(input, second, sugar::call().random(43), code);
    CHECK(!code && first != second);
}

// A view without elements, wherever it is said to be: nowhere, off its alignment; with any strides.
template <class T> sugar::view<T> nothing(int way) {
    alignas(16) static unsigned char memory[32];
    T *const odd = reinterpret_cast<T *>(memory + 1);
    return way % 3 == 0 ? sugar::view<T>(nullptr, {0, 3}, {0, 0})
        : way % 3 == 1 ? sugar::view<T>(odd, {0, 3}, {INT64_MIN, INT64_MAX}) : sugar::view<T>(odd, {0, 3});
}

void bias_and_gate() {
    std::error_code code;
    const sugar::activation relu("relu", code);
    const float x[3] = {-1, 1, 2}, gate[3] = {2, 3, 4}, dy[3] = {1, 10, 100}, bias[1] = {0.5f};
    float y[3], dx[3], product[3], sum[1];
    relu.forward(x, y, sugar::call().bias(sugar::view(bias, 1)).gate(sugar::view(gate, 3)), code);
    CHECK(!code && y[0] == 0 && y[1] == 4.5f && y[2] == 10);
    sugar::call call;
    call.bias(sugar::view(bias, 1)).bias_gradient(sugar::view(sum, 1));
    call.gate(sugar::view(gate, 3)).gate_gradient(sugar::view(product, 3));
    relu.backward(x, dy, dx, call, code);
    CHECK(!code && dx[0] == 0 && dx[1] == 30 && dx[2] == 400 && sum[0] == 430);
    CHECK(product[0] == 0 && product[1] == 15 && product[2] == 250);
}

void twice() {
    std::error_code code;
    const sugar::activation square("square", code);
    const float x[3] = {-1, 1, 2}, dy[3] = {1, 10, 100}, v[3] = {1, 2, 3};
    float ddy[3], dx[3] = {0, 0, 0};
    square.backward_twice(x, dy, v, ddy, dx, {}, code);
    CHECK(!code && ddy[0] == -2 && ddy[1] == 4 && ddy[2] == 12 && dx[0] == 2 && dx[1] == 40 && dx[2] == 600);
    square.backward_twice(sugar::view(x), dy, v, nullptr, sugar::view(dx), sugar::call().accumulate(), code);
    CHECK(!code && dx[0] == 4 && dx[2] == 1200);
    square.backward_twice(x, dy, ddy, ddy, nullptr, {}, code);      // in place
    CHECK(!code && ddy[0] == 4 && ddy[1] == 8 && ddy[2] == 48);
    square.backward_twice(x, dy, v, nullptr, nullptr, {}, code);
    CHECK(code == sugar::status::error_argument && contains(sugar::last_error(), "ddy: NULL, and dx NULL"));
    square.backward_twice(x, dy, v, ddy, dx, sugar::call().gate(sugar::view(v)), code);
    CHECK(code == sugar::status::error_unsupported && ddy[0] == 4);
}

void table() {
    std::error_code code;
    const sugar::activation step("table", nullptr, {{0, 0, 0}, {1, 1, 0}}, code);
    const float x[3] = {-1, 0.5f, 3};
    float y[3] = {7, 7, 7};
    step.forward(x, y, {}, code);
    CHECK(!code && y[0] == 0 && y[1] == 0.5f && y[2] == 1);
    const std::vector<sugar::knot> knots{{0, 0, 0}, {1, 1, 0}};
    const sugar::activation same(step.spec(), nullptr, knots, code);
    CHECK(!code && same.spec() == step.spec());
    const sugar::activation none("table", nullptr, sugar::knots(), code);
    CHECK(code == sugar::status::error_argument && contains(sugar::last_error(), "table: NULL") && !none);
}

void without_elements() {
    std::error_code code;
    const sugar::activation relu("relu", code), prelu("prelu", code), rrelu("rrelu", code);
    sugar::monitor monitor(3, code);
    for (int way = 0; way < 9; way++) {
        const auto x = nothing<const double>(way), dy = nothing<const double>(way + 1);
        const auto out = nothing<double>(way / 3), gradient = nothing<double>(way + 2);
        relu.forward(x, out, sugar::call().monitored_by(monitor), code);
        CHECK(!code);
        prelu.forward(x, out, sugar::call().parameter(x), code);
        CHECK(!code);
        prelu.backward(x, dy, out, sugar::call().parameter(dy).parameter_gradient(gradient), code);
        CHECK(!code);
        const sugar::tensor codes[] = {nothing<std::uint8_t>(way), sugar::tensor::bits(nullptr, {0, 3})};
        for (const sugar::tensor &saved : codes) {
            relu.forward(x, out, sugar::call().saved_gradient(saved), code);
            CHECK(!code);
            relu.backward(nullptr, dy, out, sugar::call().saved_gradient(saved), code);
            CHECK(!code);
        }
        rrelu.forward(x, out, sugar::call().random(1), code);
        CHECK(!code);
    }
    double sums[4] = {7, 7, 7, 7};
    prelu.backward(nothing<const double>(0), nothing<const double>(1), nothing<double>(2),
                   sugar::call().parameter_gradient(sugar::view(sums, {1, 3})), code);
    CHECK(!code && sums[0] == 0 && sums[2] == 0 && sums[3] == 7 && monitor.summary(code).samples == 0);
    relu.forward(Floats(), nothing<float>(1), sugar::call(), code);
    CHECK(code == sugar::status::error_argument);       // (0,) and (0, 3)
}

void monitors() {
    std::error_code code;
    const sugar::activation relu("relu", code);
    sugar::monitor monitor(3, code);
    Floats y(6);
    const sugar::view x(input.data(), {2, 3});
    relu.forward(x, sugar::view(y.data(), {2, 3}), sugar::call().monitored_by(monitor), code);
    CHECK(!code && monitor.summary(code).samples == 6 && monitor.summary(code).dead == 1);
    CHECK(monitor.find_dead(0, code) == std::vector<std::int64_t>{1} && monitor.unit(2, code).sum == 3.5);
    const std::vector<unsigned char> saved = monitor.save(code);
    sugar::monitor restored = sugar::monitor::restore(saved.data(), saved.size(), code);
    CHECK(!code && restored);
    restored.merge(monitor, code);
    restored.observe(x, {}, code);
    CHECK(!code && restored.summary(code).samples == 18);
    const auto histogram = restored.histogram(code);
    CHECK(std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::int64_t{0}) == 18);
    restored.reset(code);
    CHECK(!code && restored.summary(code).samples == 0);
    sugar::monitor::options chosen;
    chosen.axis_from_end = 1;
    sugar::monitor rows(2, chosen, code);
    rows.observe(x, {}, code);
    CHECK(!code && rows.summary(code).dead == 0 && rows.summary(code).axis_from_end == 1);
    chosen.bins = sugar::monitor_bins + 1;
    CHECK(!sugar::monitor(2, chosen, code) && code == sugar::status::error_unsupported);
    CHECK(!sugar::monitor::restore(saved.data(), saved.size() - 1, code) && code == sugar::status::error_data);
    CHECK(!sugar::monitor(0, code) && code);
}

// Runs tasks on threads of its own, as a program's pool would.
struct Pool {
    int calls = 0;
    template <class Task> void operator()(std::int64_t count, Task task) {
        calls++;
        std::vector<std::thread> threads;
        for (std::int64_t i = 0; i < count; i++)
            threads.emplace_back([task, i] { task(i); });
        for (std::thread &thread : threads)
            thread.join();
    }
};

void threads() {
    std::error_code code;
    const sugar::activation gelu("gelu", code);
    Floats x(200000), alone(x.size()), together(x.size()), own(x.size());
    for (std::size_t i = 0; i < x.size(); i++)
        x[i] = static_cast<float>(i) / 20000 - 5;
    gelu.forward(x, alone, {}, code);
    Pool pool;
    const sugar::context workers(2, code), by_pool(3, pool, code);
    gelu.forward(x, together, sugar::call().threads(workers), code);
    gelu.forward(x, own, sugar::call().threads(by_pool), code);
    CHECK(!code && alone == together && alone == own && pool.calls > 0);
    CHECK(!sugar::context(-1, code) && code == sugar::status::error_argument);

    // 0: as many as the process may use.
    const sugar::context all(code), zero(0, code), parts(0, pool, code);
    gelu.forward(x, together, sugar::call().threads(all), code);
    CHECK(!code && alone == together);
    CHECK(workers.threads() == 2 && by_pool.threads() == 3 && sugar::context(1, code).threads() == 1);
    CHECK(all.threads() >= 1 && zero.threads() == all.threads() && parts.threads() == all.threads());

    // One activation, several threads, each with its own message.
    std::string messages[4];
    std::vector<std::thread> users;
    for (std::size_t i = 0; i < 4; i++)
        users.emplace_back([&, i] {
            Floats y(x.size());
            std::error_code mine;
            gelu.forward(x, y, sugar::call().threads(workers), mine);
            const bool right = !mine && y == alone;
            y.resize(i + 1);
            gelu.forward(x, y, {}, mine);
            messages[i] = right ? sugar::last_error() : "wrong";
        });
    for (std::size_t i = 0; i < 4; i++) {
        users[i].join();
        CHECK(contains(messages[i], ("shape (" + std::to_string(i + 1) + ",)").c_str()));
    }
}

void catalogue() {
    int kinds = 0, parameters = 0, in_use = 0;
    bool has_relu = false;
    for (const sugar::kind &kind : sugar::kinds()) {
        kinds++;
        has_relu = has_relu || std::string(kind.name) == "relu";
        for (const sugar_parameter &parameter : kind.parameters())
            parameters += parameter.minimum <= parameter.default_value && parameter.name;
    }
    for (const sugar_level &level : sugar::levels())
        in_use += level.in_use;
    CHECK(kinds == sugar::kinds().size() && kinds >= 39 && has_relu && parameters > 0 && in_use == 1);
    CHECK(std::string(sugar::levels()[0].name) == "scalar");
}

} // namespace

int main() {
    handles();
    codes();
#ifndef SUGAR_HPP_NO_EXCEPTIONS
    exceptions();
#endif
    views();
    all_elements();
    options();
    bias_and_gate();
    twice();
    table();
    without_elements();
    monitors();
    threads();
    catalogue();
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
