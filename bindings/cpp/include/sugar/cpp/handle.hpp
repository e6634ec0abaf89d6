// What owns handles, and the options of calls: context, monitor, call; part of sugar.hpp.
#ifndef SUGAR_CPP_HANDLE_HPP
#define SUGAR_CPP_HANDLE_HPP

#include <sugar/cpp/view.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace sugar {

namespace detail {

// A struct of the library with its struct_size.
template <class S> S sized() noexcept {
    S made{};
    made.struct_size = sizeof made;
    return made;
}

template <auto destroy> struct destroyer {
    template <class H> void operator()(H *handle) const noexcept { destroy(handle); }
};

} // namespace detail

// ---- Contexts

// How calls use threads: a pool of the library's own, or the program's. Move-only; any number of calls may use one
// at the same time, as far as its parallel_for allows that.
class context {
public:
    // A pool of as many threads as the process may use, the calling one counted.
    explicit context(on_error error SUGAR_HPP_DEFAULT) : context(0, error) {}

    // A pool of threads - 1, with the calling thread; 0: as above. So it is below.
    explicit context(int threads, on_error error SUGAR_HPP_DEFAULT) : context(threads, nullptr, nullptr, error) {}

    // The program's pool, by a function as the library calls it.
    context(int threads, sugar_parallel_for parallel_for, void *payload, on_error error SUGAR_HPP_DEFAULT) {
        auto options = detail::sized<sugar_context_options>();
        options.threads = threads;
        options.parallel_for = parallel_for;
        options.payload = payload;
        sugar_context *made = nullptr;
        error.settle(raw::context_create(&made, &options));
        handle_.reset(made);
    }

    // The program's pool, by anything that is called as pool(count, task) and calls task(i) once for each i below
    // count, on any threads, before it returns. It is referred to, not copied, and must not throw.
    template <class Pool, class = std::enable_if_t<std::is_class_v<Pool> && !std::is_convertible_v<Pool &, on_error>>>
    context(int threads, Pool &pool, on_error error SUGAR_HPP_DEFAULT)
        : context(threads, &run<Pool>, static_cast<void *>(std::addressof(pool)), error) {}

    // How many threads work on a call, the calling one counted; 1 for one that was moved from.
    int threads() const noexcept { return raw::context_threads(get()); }

    const sugar_context *get() const noexcept { return handle_.get(); }
    explicit operator bool() const noexcept { return get() != nullptr; }

private:
    template <class Pool>
    static void run(void *payload, void (*task)(void *, std::int64_t), void *work, std::int64_t count) noexcept {
        (*static_cast<Pool *>(payload))(count, [task, work](std::int64_t index) { task(work, index); });
    }

    std::unique_ptr<sugar_context, detail::destroyer<raw::context_destroy>> handle_;
};

// ---- Options of one call

class monitor;

// What a call may be told; nothing said, all defaults:
//
//     activation.backward(x, dy, dx, sugar::call().accumulate().threads(context));
//
// Contexts and monitors are referred to (one that was moved from counts as none), and so are the elements of tensors;
// the extents of those are kept.
class call {
public:
    call() noexcept {}      // not defaulted: {} would clear the extents of seven tensors, 7 KiB

    call &flags(std::uint64_t flags) noexcept { return flags_ |= flags, set(); }
    call &accumulate() noexcept { return flags(call_accumulate); }      // backward: dx = dx + dy * g'(x)
    call &nontemporal() noexcept { return flags(call_nontemporal); }    // store past the caches
    call &temporal() noexcept { return flags(call_temporal); }
    call &from_output() noexcept { return flags(call_from_output); }    // backward: x is y

    call &threads(const context &threads) noexcept { return context_ = threads.get(), set(); }
    call &monitored_by(monitor &counter) noexcept;                      // forward: counts x in passing

    // The forward function's parameter: in each dimension x's extent, or 1 where it does not vary.
    call &parameter(const tensor &values) noexcept { return parameter_ = values, set(); }
    // backward: out; the gradient of the parameter: summed in the dimensions in which its extent is 1.
    call &parameter_gradient(const tensor &gradient) noexcept { return parameter_gradient_ = gradient, set(); }
    // forward: out; backward: in, instead of x: a view<std::uint8_t>, or tensor::bits.
    call &saved_gradient(const tensor &codes) noexcept { return saved_gradient_ = codes, set(); }
    // Added to x, in shapes like those of a parameter; and, backward, out: its gradient.
    call &bias(const tensor &values) noexcept { return bias_ = values, set(); }
    call &bias_gradient(const tensor &gradient) noexcept { return bias_gradient_ = gradient, set(); }
    // What f(x) is multiplied by, of x's shape; and, backward, out: its gradient.
    call &gate(const tensor &values) noexcept { return gate_ = values, set(); }
    call &gate_gradient(const tensor &gradient) noexcept { return gate_gradient_ = gradient, set(); }
    // Slopes drawn at random (rrelu).
    call &random(std::uint64_t seed, std::uint64_t offset = 0) noexcept {
        random_ = detail::sized<sugar_random>();
        random_.seed = seed;
        random_.offset = offset;
        return set();
    }

    bool is_default() const noexcept { return !set_; }

private:
    friend class c_options;
    call &set() noexcept { return set_ = true, *this; }

    bool set_ = false;
    std::uint64_t flags_ = 0;
    const sugar_context *context_ = nullptr;
    sugar_monitor *monitor_ = nullptr;
    tensor parameter_, parameter_gradient_, saved_gradient_, bias_, bias_gradient_, gate_, gate_gradient_;
    sugar_random random_{};
};

// The options as C takes them, valid as long as the call that they are made of.
class c_options {
public:
    explicit c_options(const call &made) noexcept : set_(!made.is_default()) {
        if (!set_)
            return;
        options_.struct_size = sizeof options_;
        options_.flags = made.flags_;
        options_.context = made.context_;
        options_.monitor = made.monitor_;
        options_.parameter = view(made.parameter_, 0);
        options_.parameter_gradient = view(made.parameter_gradient_, 1);
        options_.saved_gradient = view(made.saved_gradient_, 2);
        options_.random = made.random_.struct_size ? &made.random_ : nullptr;
        options_.bias = view(made.bias_, 3);
        options_.bias_gradient = view(made.bias_gradient_, 4);
        options_.gate = view(made.gate_, 5);
        options_.gate_gradient = view(made.gate_gradient_, 6);
    }
    c_options(const c_options &) = delete;
    c_options &operator=(const c_options &) = delete;

    const sugar_call_options *get() const noexcept { return set_ ? &options_ : nullptr; }

private:
    const sugar_tensor *view(const tensor &made, int index) noexcept {
        if (!made)
            return nullptr;
        tensors_[index] = made.c();
        return &tensors_[index];
    }

    bool set_;
    sugar_call_options options_;
    sugar_tensor tensors_[7];
};

// ---- Monitors

// What the units of one layer have seen. Move-only. It changes while it is fed: no other call may use it then.
class monitor {
public:
    struct options {
        std::int32_t axis_from_end = 0;     // the dimension of x on which the units lie: 0 is the last one
        std::int32_t bins = 0;      // of the histogram; 0: monitor_bins
        double threshold = 0;       // samples above it are active
        double minimum = 0, maximum = 0;    // of the histogram; both 0: -8 to 8
        std::int64_t every = 0;     // one call in so many is observed, beginning with the first; 0 and 1: every call
    };
    struct histogram_of_samples {
        std::vector<std::int64_t> counts;
        std::vector<double> edges;
    };

    explicit monitor(std::int64_t units, on_error error SUGAR_HPP_DEFAULT) : monitor(units, options(), error) {}
    monitor(std::int64_t units, const options &chosen, on_error error SUGAR_HPP_DEFAULT) {
        auto made_with = detail::sized<sugar_monitor_options>();
        made_with.axis_from_end = chosen.axis_from_end;
        made_with.bins = chosen.bins;
        made_with.threshold = chosen.threshold;
        made_with.minimum = chosen.minimum;
        made_with.maximum = chosen.maximum;
        made_with.every = chosen.every;
        sugar_monitor *made = nullptr;
        error.settle(raw::monitor_create(&made, units, &made_with));
        handle_.reset(made);
    }

    // From what save() gave.
    static monitor restore(const void *data, std::size_t size, on_error error SUGAR_HPP_DEFAULT) {
        sugar_monitor *made = nullptr;
        error.settle(raw::monitor_restore(&made, data, size));
        monitor restored;
        restored.handle_.reset(made);
        return restored;
    }
    std::vector<unsigned char> save(on_error error SUGAR_HPP_DEFAULT) const {
        std::vector<unsigned char> saved(raw::monitor_save_size(get()));
        error.settle(raw::monitor_save(get(), saved.data(), saved.size()));
        return saved;
    }

    // Counts the elements of x: a view, or what makes one.
    template <class X> void observe(const X &x, const call &chosen SUGAR_HPP_DEFAULT,
                                    on_error error SUGAR_HPP_DEFAULT) {
        detail::view_of<const X &> from(x);
        const sugar_tensor c = from.c();
        error.settle(raw::monitor_observe(handle_.get(), &c, c_options(chosen).get()));
    }
    void reset(on_error error SUGAR_HPP_DEFAULT) { error.settle(raw::monitor_reset(handle_.get())); }
    void merge(const monitor &from, on_error error SUGAR_HPP_DEFAULT) {
        error.settle(raw::monitor_merge(handle_.get(), from.get()));
    }

    sugar_monitor_summary summary(on_error error SUGAR_HPP_DEFAULT) const {
        auto seen = detail::sized<sugar_monitor_summary>();
        error.settle(raw::monitor_get(get(), &seen));
        return seen;
    }
    sugar_monitor_unit unit(std::int64_t index, on_error error SUGAR_HPP_DEFAULT) const {
        auto seen = detail::sized<sugar_monitor_unit>();
        error.settle(raw::monitor_get_unit(get(), index, &seen));
        return seen;
    }
    // The units that are active for at most the share `rate` of their samples.
    std::vector<std::int64_t> find_dead(double rate, on_error error SUGAR_HPP_DEFAULT) const {
        std::int64_t count = 0;
        if (!error.settle(raw::monitor_find_dead(get(), rate, nullptr, 0, &count)))
            return {};
        std::vector<std::int64_t> found(static_cast<std::size_t>(count));
        error.settle(raw::monitor_find_dead(get(), rate, found.data(), count, &count));
        return found;
    }
    histogram_of_samples histogram(on_error error SUGAR_HPP_DEFAULT) const {
        auto all = detail::sized<sugar_monitor_summary>();
        if (!error.settle(raw::monitor_get(get(), &all)))
            return {};
        const auto bins = static_cast<std::size_t>(all.bins);
        histogram_of_samples seen{std::vector<std::int64_t>(bins), std::vector<double>(bins - 1)};
        error.settle(raw::monitor_get_histogram(get(), seen.counts.data(), seen.edges.data(), all.bins));
        return seen;
    }

    sugar_monitor *get() noexcept { return handle_.get(); }
    const sugar_monitor *get() const noexcept { return handle_.get(); }
    explicit operator bool() const noexcept { return get() != nullptr; }

private:
    monitor() noexcept = default;

    std::unique_ptr<sugar_monitor, detail::destroyer<raw::monitor_destroy>> handle_;
};

inline call &call::monitored_by(monitor &counter) noexcept { return monitor_ = counter.get(), set(); }

} // namespace sugar

#endif
