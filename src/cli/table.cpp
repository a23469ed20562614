#include "cli/table.hpp"

#include "cli/character.hpp"

#include <sojourn/http_server/utf8.hpp>

#include <algorithm>
#include <utility>

namespace sojourn::cli {

namespace {

constexpr std::string_view ellipsis = "…";
constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 4;

bool begins_character(char byte) noexcept
{
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

/// Characters, each of which is taken to be one column wide.
std::size_t width_of(std::string_view text) noexcept
{
    return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

/// The first so many characters, the last of them an ellipsis if there are more.
std::string cut(const std::string& text, std::size_t width)
{
    if (width_of(text) <= width) {
        return text;
    }
    std::size_t kept = 0;
    std::size_t characters = 0;
    while (kept < text.size() && (characters + 1 < width || !begins_character(text[kept]))) {
        characters += begins_character(text[kept]) ? 1U : 0U;
        ++kept;
    }
    return text.substr(0, kept) + std::string(ellipsis);
}

void append(std::string& line, const std::string& cell, std::size_t width, Align align)
{
    const std::string padding(width - std::min(width, width_of(cell)), ' ');
    line += align == Align::right ? padding + cell : cell + padding;
}

} // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<std::string> cells)
{
    for (auto& cell : cells) {
        cell = harmless(cell);
    }
    rows_.push_back(std::move(cells));
}

std::string Table::text(std::optional<std::size_t> columns) const
{
    std::vector<std::size_t> widths;
    std::size_t total = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        auto width = width_of(columns_[i].heading);
        for (const auto& row : rows_) {
            width = std::max(width, width_of(row[i]));
        }
        widths.push_back(width);
        total += width + (i == 0 ? 0 : gap);
    }
    for (std::size_t i = 0; columns && i < columns_.size() && total > *columns; ++i) {
        if (columns_[i].may_shrink && widths[i] > narrowest) {
            const auto less = std::min(total - *columns, widths[i] - narrowest);
            widths[i] -= less;
            total -= less;
        }
    }
    std::string text;
    const auto add_line = [&](auto cell_of) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            line += std::string(i == 0 ? 0 : gap, ' ');
            append(line, cut(cell_of(i), widths[i]), widths[i], columns_[i].align);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    };
    add_line([this](std::size_t i) { return columns_[i].heading; });
    for (const auto& row : rows_) {
        add_line([&row](std::size_t i) { return row[i]; });
    }
    return text;
}

std::string harmless(std::string_view text)
{
    std::string shown;
    if (!http_server::is_utf8(text)) {
        for (const char character : text) {
            const auto byte = static_cast<unsigned char>(character);
            shown += byte >= 0x80 || is_unseen(byte) ? '?' : character;
        }
        return shown;
    }
    while (!text.empty()) {
        const auto [code, bytes] = first_character(text);
        shown += is_unseen(code) ? "?" : text.substr(0, bytes);
        text.remove_prefix(bytes);
    }
    return shown;
}

} // namespace sojourn::cli
