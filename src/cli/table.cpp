#include "cli/table.hpp"

#include <sojourn/http_server/utf8.hpp>

#include <algorithm>
#include <utility>

namespace sojourn::cli {

namespace {

constexpr std::string_view ellipsis = "…";
constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 4;

/// Bytes of the character that the text begins with, if a terminal shows nothing for it but obeys
/// it or changes the order of others: U+0080 to U+009F, U+061C, U+200B to U+200F, U+2028 to U+202E,
/// U+2060 to U+206F, U+FEFF.
std::size_t unseen_length(std::string_view text) noexcept
{
    const auto is_between = [&text](std::string_view first, std::string_view last) {
        const auto character = text.substr(0, first.size());
        return character.size() == first.size() && character >= first && character <= last;
    };
    if (is_between("\xC2\x80", "\xC2\x9F") || is_between("\xD8\x9C", "\xD8\x9C")) {
        return 2;
    }
    // NOLINTBEGIN(misc-misleading-bidirectional): these are to be found
    const bool is_unseen =
        is_between("\xE2\x80\x8B", "\xE2\x80\x8F") || is_between("\xE2\x80\xA8", "\xE2\x80\xAE") ||
        is_between("\xE2\x81\xA0", "\xE2\x81\xAF") || is_between("\xEF\xBB\xBF", "\xEF\xBB\xBF");
    // NOLINTEND(misc-misleading-bidirectional)
    return is_unseen ? 3 : 0;
}

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
    const bool is_text = http_server::is_utf8(text);
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool is_plain = byte >= 0x20 && byte != 0x7F && (byte < 0x80 || is_text);
        if (const auto length = is_text ? unseen_length(text.substr(i)) : 0; length > 0) {
            shown += '?';
            i += length - 1;
        } else {
            shown += is_plain ? text[i] : '?';
        }
    }
    return shown;
}

} // namespace sojourn::cli
