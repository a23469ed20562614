#include "cli/completion.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <set>

namespace sojourn::cli {

namespace {

/// The words that may follow: commands, and options with their dashes.
std::string words_of(const CLI::App& command)
{
    std::string words;
    std::set<std::string> seen;
    const auto add = [&](const std::string& word) {
        if (seen.insert(word).second) {
            words += (words.empty() ? "" : " ") + word;
        }
    };
    for (const auto* const inner : command.get_subcommands({})) {
        add(inner->get_name());
    }
    for (const auto* parent = &command; parent != nullptr; parent = parent->get_parent()) {
        for (const auto* const option : parent->get_options()) {
            for (const auto& name : option->get_lnames()) {
                add("--" + name);
            }
        }
    }
    return words;
}

/// One case for each command: the words that name it, and those that may come after.
void add_cases(const CLI::App& command, const std::string& path, std::string& cases)
{
    cases += fmt::format("    \"{}\") choices=\"{}\" ;;\n", path, words_of(command));
    for (const auto* const inner : command.get_subcommands({})) {
        add_cases(*inner, path.empty() ? inner->get_name() : path + " " + inner->get_name(), cases);
    }
}

// Words that name no command, such as options and their values, are passed over.

constexpr std::string_view choices_script = R"(_sojournctl_choices() {{
    case $1 in
{}    *) return 1 ;;
    esac
}}
)";

constexpr std::string_view bash_script = R"(_sojournctl() {
    local at="" word choices=""
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        _sojournctl_choices "${at:+$at }$word" && at=${at:+$at }$word
    done
    _sojournctl_choices "$at"
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -F _sojournctl sojournctl
)";

constexpr std::string_view zsh_script = R"(_sojournctl() {
    local at="" word choices=""
    for word in "${(@)words[2,CURRENT-1]}"; do
        _sojournctl_choices "${at:+$at }$word" && at="${at:+$at }$word"
    done
    _sojournctl_choices "$at"
    compadd -- ${=choices}
}
compdef _sojournctl sojournctl
)";

} // namespace

std::string completion_script(const CLI::App& program, std::string_view shell)
{
    std::string cases;
    add_cases(program, "", cases);
    const auto choices = fmt::format(fmt::runtime(choices_script), cases);
    return shell == "zsh"
               ? "#compdef sojournctl\n" + choices + std::string(zsh_script)
               : "# bash completion for sojournctl\n" + choices + std::string(bash_script);
}

} // namespace sojourn::cli
