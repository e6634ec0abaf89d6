// A reader of JSON, as far as the shared vectors go: whole numbers, and in strings \" and \\.
#ifndef JSON_HPP
#define JSON_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

struct Json {
    enum Kind { null, number, string, list, object } kind = null;
    std::int64_t whole = 0;
    std::string text;
    std::vector<Json> items;
    std::map<std::string, Json> members;

    explicit operator bool() const { return kind != null; }
    const Json &operator[](const char *key) const { return members.find(key)->second; }
    template <class I, class = std::enable_if_t<std::is_integral_v<I>>> const Json &operator[](I index) const {
        return items[static_cast<std::size_t>(index)];
    }
    std::vector<std::int64_t> numbers() const {
        std::vector<std::int64_t> all;
        for (const Json &item : items)
            all.push_back(item.whole);
        return all;
    }
};

class JsonReader {
public:
    explicit JsonReader(std::string text) : text_(std::move(text)) {}

    Json read() {
        Json value;
        switch (next()) {
        case '{': value.kind = Json::object; read_object(value); break;
        case '[': value.kind = Json::list; read_list(value); break;
        case '"': value.kind = Json::string; value.text = read_string(); break;
        case 'n': at_ += 4; break;
        default: value.kind = Json::number; value.whole = read_number();
        }
        return value;
    }

private:
    char next() { return text_[at_ = text_.find_first_not_of(" \n,:", at_)]; }
    void read_object(Json &value) {
        for (at_++; next() != '}';) {
            std::string key = read_string();
            value.members.emplace(std::move(key), read());
        }
        at_++;
    }
    void read_list(Json &value) {
        for (at_++; next() != ']';)
            value.items.push_back(read());
        at_++;
    }
    std::string read_string() {
        std::string found;
        for (at_++; text_[at_] != '"'; at_++) {
            if (text_[at_] == '\\' && text_[++at_] == 'u')
                fail("an escape that is a number");
            found += text_[at_];
        }
        at_++;
        return found;
    }
    std::int64_t read_number() {
        char *end;
        const std::int64_t value = std::strtoll(text_.c_str() + at_, &end, 10);
        if (end == text_.c_str() + at_)
            fail("no JSON");
        at_ = static_cast<std::size_t>(end - text_.c_str());
        return value;
    }

    [[noreturn]] void fail(const char *what) const {
        std::fprintf(stderr, "%s at byte %zu\n", what, at_);
        std::exit(2);
    }

    std::string text_;
    std::size_t at_ = 0;
};

#endif
