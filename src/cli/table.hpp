/// @file
/// A table of text that fits a terminal.

#ifndef SOJOURN_CLI_TABLE_HPP
#define SOJOURN_CLI_TABLE_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::cli {

enum class Align : std::uint8_t { left, right };

/// Rows of cells under headings. Cells may be any text; what a terminal would take for a command is
/// shown as `?`.
class Table {
public:
    struct Column {
        std::string heading;
        Align align = Align::left;
        /// Whether it may be cut short where the table is too wide. Others are whole, always.
        bool may_shrink = false;
    };

    explicit Table(std::vector<Column> columns);

    /// Precondition: as many cells as columns.
    void add(std::vector<std::string> cells);

    /// The table, no wider than this if it can be made so. What is cut short ends with `…`.
    [[nodiscard]] std::string text(std::optional<std::size_t> columns) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

/// The text with `?` for each character that a terminal would obey, and for each byte that is no
/// UTF-8. A principal may be named so that a terminal deletes what it shows.
[[nodiscard]] std::string harmless(std::string_view text);

} // namespace sojourn::cli

#endif // SOJOURN_CLI_TABLE_HPP
