/// @file
/// What a soak tells: a table while it runs, and files when it has ended.

#ifndef SOJOURN_TESTS_SOAK_REPORT_HPP
#define SOJOURN_TESTS_SOAK_REPORT_HPP

#include "soak/sample.hpp"
#include "soak/soak.hpp"

#include <filesystem>
#include <span>

namespace sojourn::tests::soak {

void print_head();
void print_row(const Sample& sample);
/// What it was about, and whether what must not grow has stopped growing.
void print_sums(const Outcome& outcome);

/// One line a sample. *Exceptions*: `std::runtime_error` if it cannot be written.
void write_samples(const std::filesystem::path& file, std::span<const Sample> samples);
/// The rest, as JSON. *Exceptions*: the same.
void write_summary(
    const std::filesystem::path& file, const SoakOptions& options, const Outcome& outcome
);

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_REPORT_HPP
