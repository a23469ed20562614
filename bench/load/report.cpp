#include "load/report.hpp"

#include <iomanip>
#include <ostream>
#include <string_view>

namespace sojourn::bench {

namespace {

#ifdef NDEBUG
constexpr std::string_view build = "release";
#else
constexpr std::string_view build = "debug";
#endif

/// More than a double tells, so that counts stay whole.
constexpr int digits = 15;

void write(std::ostream& out, const Figures& figures)
{
    std::string_view separator;
    for (const auto& [name, value] : figures) {
        out << separator << std::quoted(name) << ": " << value;
        separator = ", ";
    }
}

void write(std::ostream& out, const std::vector<Phase>& phases)
{
    std::string_view separator;
    for (const auto& phase : phases) {
        out << separator << "\n   {\"name\": " << std::quoted(phase.name) << ", ";
        write(out, phase.figures);
        out << '}';
        separator = ",";
    }
}

} // namespace

void write_json(std::ostream& out, const std::vector<Report>& reports)
{
    out << std::setprecision(digits)
        << "{\n \"context\": {\"sojourn_build\": " << std::quoted(build) << '}';
    for (const auto& report : reports) {
        out << ",\n " << std::quoted(report.question) << ": {\n  \"settings\": {";
        write(out, report.settings);
        out << "},\n  \"phases\": [";
        write(out, report.phases);
        out << "\n  ]\n }";
    }
    out << "\n}\n";
}

} // namespace sojourn::bench
