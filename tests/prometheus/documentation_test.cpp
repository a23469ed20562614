// What we write about the metrics agrees with the metrics.

#include <sojourn/prometheus/families.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_test_macros.hpp>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests {

namespace {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

std::string text_of(const std::string& path)
{
    std::ifstream file(std::filesystem::path(SOJOURN_SOURCE_DIR) / path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Those of a service that has a limit, so all.
std::vector<MetricFamily> all_families()
{
    prometheus::Sample sample;
    sample.in_flight.limit = 1;
    return prometheus::families(sample);
}

std::string_view name_of(MetricType type)
{
    switch (type) {
    case MetricType::Counter:
        return "counter";
    case MetricType::Gauge:
        return "gauge";
    case MetricType::Histogram:
        return "histogram";
    default:
        return "unknown";
    }
}

/// "`label`: one, another", as the page has it; nothing without a label.
std::string labels_of(const MetricFamily& family)
{
    std::string text;
    for (const auto& metric : family.metric) {
        for (const auto& label : metric.label) {
            text += text.empty() ? "`" + label.name + "`: " : ", ";
            text += label.name == "version" ? "such as 0.1.0" : label.value;
        }
    }
    return text;
}

/// The metrics that a query or an alert may name.
std::set<std::string> queried_names()
{
    std::set<std::string> names;
    for (const auto& family : all_families()) {
        if (family.type == MetricType::Histogram) {
            names.insert({family.name + "_bucket", family.name + "_sum", family.name + "_count"});
        } else {
            names.insert(family.name);
        }
    }
    return names;
}

std::set<std::string> names_in(const std::string& text)
{
    static const std::regex name("\\bsojourn_[a-z_]+");
    std::set<std::string> names;
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) {
        names.insert(at->str());
    }
    return names;
}

/// Every text under this key, however deep.
void collect(const boost::json::value& value, std::string_view key, std::vector<std::string>& found)
{
    if (const auto* const array = value.if_array()) {
        for (const auto& element : *array) {
            collect(element, key, found);
        }
    } else if (const auto* const object = value.if_object()) {
        for (const auto& [name, member] : *object) {
            if (name == key && member.is_string()) {
                found.emplace_back(member.get_string());
            }
            collect(member, key, found);
        }
    }
}

} // namespace

TEST_CASE("prometheus: the page lists every metric as it is, and no other", "[prometheus]")
{
    const auto page = text_of("docs/prometheus.md");
    std::string table;
    for (const auto& family : all_families()) {
        std::string row = "| `" + family.name + "` | ";
        row.append(name_of(family.type)) += " | " + labels_of(family);
        row += (row.ends_with(' ') ? "| " : " | ") + family.help + " |\n";
        CAPTURE(row);
        CHECK(page.find(row) != std::string::npos);
        table += row;
    }
    // In that order, and nothing between or after them.
    CHECK(page.find("|---|---|---|---|\n" + table + "\n") != std::string::npos);
}

TEST_CASE("prometheus: the dashboard asks for metrics that there are", "[prometheus]")
{
    const auto dashboard = boost::json::parse(text_of("docs/grafana/sojourn.json"));
    std::vector<std::string> expressions;
    collect(dashboard, "expr", expressions);
    REQUIRE(expressions.size() >= dashboard.at("panels").as_array().size());
    const auto known = queried_names();
    std::set<std::string> asked;
    for (const auto& expression : expressions) {
        CAPTURE(expression);
        const auto names = names_in(expression);
        CHECK(!names.empty());
        for (const auto& name : names) {
            CAPTURE(name);
            CHECK(known.contains(name));
            asked.insert(name);
        }
    }
    // And it shows all of them, but for what the percentiles do without, and the version.
    for (const auto& name : known) {
        CAPTURE(name);
        const bool is_left_out =
            name.ends_with("_sum") || name.ends_with("_count") || name == "sojourn_info";
        CHECK(asked.contains(name) != is_left_out);
    }
}

TEST_CASE("prometheus: the alerts watch metrics that there are", "[prometheus]")
{
    const auto known = queried_names();
    const auto names = names_in(text_of("docs/prometheus/alerts.yml"));
    CHECK(names.size() > 5);
    for (const auto& name : names) {
        CAPTURE(name);
        CHECK(known.contains(name));
    }
}

} // namespace sojourn::tests
