// All shared vectors, bit for bit: through the functions as they are, and through the layer where it can say
// the same.
//
//     vectors bindings/vectors/vectors.json
#include "json.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <sugar/sugar.hpp>

namespace {

std::size_t width_of(const std::string &type) {
    return type == "f64" ? 8 : type == "f32" ? 4 : type == "u8" ? 1 : 2;
}

std::uint64_t infinity_of(const std::string &type) {
    return type == "f64" ? 0x7ffULL << 52 : type == "f32" ? 0x7f800000 : type == "f16" ? 0x7c00 : 0x7f80;
}

bool same(const std::string &type, std::uint64_t a, std::uint64_t b) {
    if (a == b || type == "u8")
        return a == b;
    const std::uint64_t magnitude = (1ULL << (8 * width_of(type) - 1)) - 1;
    return (a & magnitude) > infinity_of(type) && (b & magnitude) > infinity_of(type);
}

double real(const std::string &bits) {
    const std::uint64_t word = std::strtoull(bits.c_str(), nullptr, 16);
    double value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}

bool same(const Json &bits, double value) {
    std::uint64_t word;
    std::memcpy(&word, &value, sizeof word);
    return bits.kind == Json::string && same("f64", std::strtoull(bits.text.c_str(), nullptr, 16), word);
}

// A block of a case, aligned to 8 bytes.
class Memory {
public:
    explicit Memory(const Json &block) : type_(block["type"].text), width_(width_of(type_)) {
        const std::vector<std::uint64_t> before = words(block["before"].text);
        expected_ = block["after"] ? words(block["after"].text) : before;
        bytes_.resize(before.size() * width_ / 8 + 1);
        for (std::size_t i = 0; i < before.size(); i++)
            std::memcpy(start() + i * width_, &before[i], width_);      // little-endian, as main() checks
    }

    unsigned char *start() { return reinterpret_cast<unsigned char *>(bytes_.data()); }

    std::string differs() {
        for (std::size_t i = 0; i < expected_.size(); i++) {
            std::uint64_t word = 0;
            std::memcpy(&word, start() + i * width_, width_);
            if (!same(type_, word, expected_[i]))
                return "element " + std::to_string(i) + " of a memory of " + type_;
        }
        return "";
    }

private:
    std::vector<std::uint64_t> words(const std::string &text) const {
        std::vector<std::uint64_t> all;
        for (std::size_t i = 0; i < text.size(); i += 2 * width_)
            all.push_back(std::strtoull(text.substr(i, 2 * width_).c_str(), nullptr, 16));
        return all;
    }

    std::string type_;
    std::size_t width_;
    std::vector<std::uint64_t> bytes_, expected_;
};

// An operand of a call on tensors, with the lists it refers to.
struct Operand {
    bool present = false;
    std::vector<std::int64_t> shape, strides;
    sugar_tensor tensor{};

    const sugar_tensor *get() const { return present ? &tensor : nullptr; }
};

class Replay {
public:
    enum class Way { raw, layer };

    Replay(const Json &made, Way way) : test(made), way_(way) {
        for (const Json &block : test["memories"].items)
            memories_.emplace_back(block);
    }

    // False if the layer cannot say what the case says.
    bool run() {
        if (const Json &made = test["monitor"]) {
            monitor_.emplace(made["units"].whole, sugar::monitor::options{
                static_cast<std::int32_t>(made["axis_from_end"].whole), static_cast<std::int32_t>(made["bins"].whole),
                real(made["threshold"].text), real(made["minimum"].text), real(made["maximum"].text),
                made["every"].whole});
        }
        std::vector<sugar::knot> table;
        for (std::size_t i = 0; i < test["table"].items.size(); i += 3)
            table.push_back({real(test["table"][i].text), real(test["table"][i + 1].text),
                             real(test["table"][i + 2].text)});
        const char *level = test["level"] ? test["level"].text.c_str() : nullptr;
        if (const Json &spec = test["spec"])
            activation_.emplace(spec.text, level, table.empty() ? sugar::knots() : sugar::knots(table), status_);
        else if (way_ == Way::layer)
            return false;
        if (status_ != sugar::status::ok || test["call"].text == "create")
            return true;
        return way_ == Way::raw ? call_raw() : call_layer();
    }

    std::string differs() {
        if (static_cast<std::int64_t>(status_) != test["status"].whole)
            return "the status " + std::to_string(static_cast<int>(status_)) + " (" + sugar::last_error() + ")";
        if (status_ != sugar::status::ok && sugar::last_error() != test["message"].text)
            return std::string("the message ") + sugar::last_error();
        for (Memory &memory : memories_)
            if (std::string text = memory.differs(); !text.empty())
                return text;
        if (const Json &created = test["created"]) {
            const sugar_activation_info info = activation_->info();
            if (info.spec != created["spec"].text || !same(created["minimum"], info.gradient_minimum)
                || !same(created["maximum"], info.gradient_maximum))
                return "what was created";
        }
        return monitor_ && !saw(test["monitor"]["seen"]) ? "what the monitor saw" : "";
    }

private:
    bool saw(const Json &seen) const {
        const sugar_monitor_summary all = monitor_->summary();
        const Json &summary = seen["summary"];
        bool right = summary[0].whole == all.units && summary[1].whole == all.samples
            && summary[2].whole == all.active && summary[3].whole == all.not_finite && summary[4].whole == all.dead
            && same(summary[5], all.sparsity) && same(summary[6], all.mean) && same(summary[7], all.deviation)
            && summary[8].whole == all.axis_from_end && summary[9].whole == all.bins
            && summary[10].whole == all.every && summary[11].whole == all.calls && summary[12].whole == all.observed;
        for (std::int64_t i = 0; i < all.units; i++) {
            const sugar_monitor_unit unit = monitor_->unit(i);
            const Json &values = seen["units"][static_cast<std::size_t>(i)];
            right = right && values[0].whole == unit.samples && values[1].whole == unit.active
                && values[2].whole == unit.not_finite && same(values[3], unit.sum)
                && same(values[4], unit.sum_of_squares) && same(values[5], unit.mean)
                && same(values[6], unit.deviation);
        }
        const auto histogram = monitor_->histogram();
        for (std::size_t i = 0; i < histogram.edges.size(); i++)
            right = right && same(seen["edges"][i], histogram.edges[i]);
        return right && monitor_->find_dead(0.25) == seen["dead"].numbers() && histogram.counts.size() ==
            seen["counts"].items.size() && std::equal(histogram.counts.begin(), histogram.counts.end(),
                                                      seen["counts"].numbers().begin());
    }

    void *address(const Json &operand) {
        return operand["memory"] ? memories_[static_cast<std::size_t>(operand["memory"].whole)].start()
            + operand["data"].whole : nullptr;
    }

    Operand operand(const char *role) {
        Operand made;
        const Json &json = test[role];
        if (!json)
            return made;
        made.present = true;
        made.shape = json["shape"].numbers();
        made.strides = json["strides"].numbers();
        const std::vector<std::int64_t> type = json["dtype"].numbers();
        made.tensor = {address(json), {static_cast<std::int32_t>(json["device"].whole), 0},
                       static_cast<std::int32_t>(made.shape.size()),
                       {static_cast<std::uint8_t>(type[0]), static_cast<std::uint8_t>(type[1]),
                        static_cast<std::uint16_t>(type[2])},
                       made.shape.data(), json["strides"] ? made.strides.data() : nullptr,
                       static_cast<std::uint64_t>(json["byte_offset"].whole)};
        return made;
    }

    std::uint64_t random(std::size_t index) const {
        return std::strtoull(test["random"][index].text.c_str(), nullptr, 16);
    }

    // ---- The functions as they are

    bool call_raw() {
        const std::string &name = test["call"].text;
        const Operand x = operand_unless_vector("x"), y = operand_unless_vector("y");
        const Operand dy = operand_unless_vector("dy"), dx = operand_unless_vector("dx");
        const Operand v = operand("v"), ddy = operand("ddy");
        const Operand extra[7] = {operand("parameter"), operand("parameter_gradient"), operand("saved_gradient"),
                                  operand("bias"), operand("bias_gradient"), operand("gate"), operand("gate_gradient")};
        sugar_random random_numbers{sizeof random_numbers, 0, 0};
        if (test["random"])
            random_numbers = {sizeof random_numbers, random(0), random(1)};
        const sugar_call_options options{sizeof options, static_cast<std::uint64_t>(test["flags"].whole), nullptr,
            monitor_ && name != "observe" ? monitor_->get() : nullptr, extra[0].get(), extra[1].get(),
            extra[2].get(), test["random"] ? &random_numbers : nullptr, extra[3].get(), extra[4].get(), extra[5].get(),
            extra[6].get()};
        const sugar_activation *handle = activation_ ? activation_->get() : nullptr;
        sugar_status result;
        if (name == "observe")
            result = sugar::raw::monitor_observe(monitor_->get(), x.get(), &options);
        else if (name == "forward")
            result = sugar::raw::forward(handle, x.get(), y.get(), &options);
        else if (name == "backward")
            result = sugar::raw::backward(handle, x.get(), dy.get(), dx.get(), &options);
        else if (name == "backward_twice")
            result = sugar::raw::backward_twice(handle, x.get(), dy.get(), v.get(), ddy.get(), dx.get(), &options);
        else
            result = call_vector_raw(handle, &options);
        status_ = static_cast<sugar::status>(result);
        return true;
    }

    Operand operand_unless_vector(const char *role) { return is_vector() ? Operand() : operand(role); }
    bool is_vector() const { return test["call"].text.find('_' + test["type"].text) != std::string::npos; }
    bool is_forward() const { return test["call"].text.compare(0, 7, "forward") == 0; }

    sugar_status call_vector_raw(const sugar_activation *handle, const sugar_call_options *options) {
        const std::string &type = test["type"].text;
        return type == "f32" ? call_vector_raw<float>(handle, options)
            : type == "f64" ? call_vector_raw<double>(handle, options)
            : type == "f16" ? call_vector_raw<sugar::f16>(handle, options)
            : call_vector_raw<sugar::bf16>(handle, options);
    }

    template <class T> T *vector(const char *role) {
        return test[role] ? static_cast<T *>(address(test[role])) : nullptr;
    }
    std::int64_t step(const char *role) const { return test[role] ? test[role]["step"].whole : 0; }

    template <class T> sugar_status call_vector_raw(const sugar_activation *handle, const sugar_call_options *options) {
        const std::int64_t n = test["n"].whole;
        if (is_forward())
            return sugar::raw::forward(handle, n, vector<T>("x"), step("x"), vector<T>("y"), step("y"), options);
        return sugar::raw::backward(handle, n, vector<T>("x"), step("x"), vector<T>("dy"), step("dy"),
                                    vector<T>("dx"), step("dx"), options);
    }

    // ---- The layer

    bool call_layer() {
        sugar::call options;
        if (test["flags"].whole)
            options.flags(static_cast<std::uint64_t>(test["flags"].whole));
        using Option = sugar::call &(sugar::call::*)(const sugar::tensor &) noexcept;
        constexpr std::pair<const char *, Option> roles[] = {
            {"parameter", &sugar::call::parameter}, {"parameter_gradient", &sugar::call::parameter_gradient},
            {"saved_gradient", &sugar::call::saved_gradient}, {"bias", &sugar::call::bias},
            {"bias_gradient", &sugar::call::bias_gradient}, {"gate", &sugar::call::gate},
            {"gate_gradient", &sugar::call::gate_gradient}};
        for (const auto &[role, option] : roles) {
            if (!test[role])
                continue;
            const Operand made = operand(role);
            const sugar::tensor view(made.tensor);
            if (!view)
                return false;
            (options.*option)(view);
        }
        if (test["random"])
            options.random(random(0), random(1));
        if (monitor_ && test["call"].text != "observe")
            options.monitored_by(*monitor_);
        const std::string &type = test["type"].text;
        return type == "f32" ? call_layer<float>(options) : type == "f64" ? call_layer<double>(options)
            : type == "f16" ? call_layer<sugar::f16>(options) : call_layer<sugar::bf16>(options);
    }

    template <class T> bool call_layer(const sugar::call &options) {
        if (is_vector()) {
            const std::int64_t n = test["n"].whole;
            if (is_forward())
                activation_->forward(n, vector<T>("x"), step("x"), vector<T>("y"), step("y"), options, status_);
            else
                activation_->backward(n, vector<T>("x"), step("x"), vector<T>("dy"), step("dy"), vector<T>("dx"),
                                      step("dx"), options, status_);
            return true;
        }
        return call_with<sugar::view<T>>(options) || call_with<sugar::tensor>(options);
    }

    // Whether all operands are such views; if so, after the call.
    template <class View> bool call_with(const sugar::call &options) {
        std::optional<View> x = view<View>("x"), y = view<View>("y"), dy = view<View>("dy"), dx = view<View>("dx");
        const std::optional<View> v = view<View>("v"), ddy = view<View>("ddy");
        const std::string &name = test["call"].text;
        if (name == "backward_twice" && x && dy && v && (ddy || !test["ddy"]) && (dx || !test["dx"]))
            twice(*x, *dy, *v, ddy, dx, options);
        else if (name == "observe" && x)
            monitor_->observe(*x, options, status_);
        else if (name == "forward" && x && y)
            activation_->forward(*x, *y, options, status_);
        else if (name == "backward" && x && dy && dx)
            activation_->backward(*x, *dy, *dx, options, status_);
        else if (name == "backward" && !test["x"] && dy && dx)
            activation_->backward(nullptr, *dy, *dx, options, status_);
        else
            return false;
        return true;
    }

    template <class View>
    void twice(const View &x, const View &dy, const View &v, std::optional<View> ddy, std::optional<View> dx,
               const sugar::call &options) {
        if (ddy && dx)
            activation_->backward_twice(x, dy, v, *ddy, *dx, options, status_);
        else if (ddy)
            activation_->backward_twice(x, dy, v, *ddy, nullptr, options, status_);
        else if (dx)
            activation_->backward_twice(x, dy, v, nullptr, *dx, options, status_);
        else
            activation_->backward_twice(x, dy, v, nullptr, nullptr, options, status_);
    }

    template <class View> std::optional<View> view(const char *role) {
        const Operand made = operand(role);
        if (!made.present)
            return {};
        if constexpr (std::is_same_v<View, sugar::tensor>)
            return View(made.tensor);
        else
            return typed_view<View>(made);
    }

    template <class View> static std::optional<View> typed_view(const Operand &made) {
        if (std::memcmp(&made.tensor.dtype, &View::type, sizeof View::type) || made.tensor.byte_offset
            || made.tensor.device.device_type != sugar::device_cpu)
            return {};
        const auto data = static_cast<decltype(std::declval<View>().data())>(made.tensor.data);
        return made.tensor.strides ? View(data, made.shape, made.strides) : View(data, made.shape);
    }

    const Json &test;
    Way way_;
    std::vector<Memory> memories_;
    std::optional<sugar::activation> activation_;
    std::optional<sugar::monitor> monitor_;
    sugar::status status_ = sugar::status::ok;
};

} // namespace

int main(int argc, char **argv) {
    std::ifstream file(argc == 2 ? argv[1] : "");
    const std::uint16_t one = 1;
    if (!file || !reinterpret_cast<const unsigned char &>(one)) {
        std::fprintf(stderr, "usage: vectors vectors.json (on a little-endian machine)\n");
        return 2;
    }
    const Json vectors = JsonReader({std::istreambuf_iterator<char>(file), {}}).read();
    int counts[2] = {}, failed = 0;
    for (const Json &test : vectors["cases"].items) {
        for (Replay::Way way : {Replay::Way::raw, Replay::Way::layer}) {
            Replay replay(test, way);
            if (!replay.run())
                continue;
            counts[way == Replay::Way::layer]++;
            if (const std::string text = replay.differs(); !text.empty()) {
                std::printf("FAILED: %s (%s): %s\n", test["name"].text.c_str(),
                            way == Replay::Way::raw ? "functions" : "layer", text.c_str());
                failed++;
            }
        }
    }
    std::printf("%d of %d cases replayed through the functions, %d through the layer, %d failed\n", counts[0],
                static_cast<int>(vectors["count"].whole), counts[1], failed);
    return failed || counts[0] != vectors["count"].whole || counts[1] == 0;
}
