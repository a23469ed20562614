/// @file
/// What a question found: numbers with names, and the same as JSON.

#ifndef SOJOURN_BENCH_LOAD_REPORT_HPP
#define SOJOURN_BENCH_LOAD_REPORT_HPP

#include <chrono>
#include <iosfwd>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sojourn::bench {

struct Figure {
    template <class Number>
        requires std::is_arithmetic_v<Number>
    Figure(std::string title, Number number)
        : name(std::move(title)), value(static_cast<double>(number))
    {
    }

    /// In milliseconds.
    template <class Representation, class Period>
    Figure(std::string title, std::chrono::duration<Representation, Period> length)
        : Figure(std::move(title), std::chrono::duration<double, std::milli>(length).count())
    {
    }

    std::string name;
    double value;
};

using Figures = std::vector<Figure>;

/// What was measured in one piece.
struct Phase {
    std::string name;
    Figures figures;
};

struct Report {
    std::string question;
    Figures settings;
    std::vector<Phase> phases;
};

/// One object, with a member for each question.
void write_json(std::ostream& out, const std::vector<Report>& reports);

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_LOAD_REPORT_HPP
