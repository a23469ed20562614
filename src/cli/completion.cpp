#include "cli/completion.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sojourn::cli {

namespace {

/// The words that may follow: commands, and options with their dashes.
std::string words_of(const CLI::App& command)
{
    std::string words;
    const auto add = [&words](const std::string& word) {
        words += (words.empty() ? "" : " ") + word;
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

/// One case for each command: the words that came before it, and those that may come after.
void add_cases(const CLI::App& command, const std::string& path, std::string& cases)
{
    cases += fmt::format("        \"{}\") words=\"{}\" ;;\n", path, words_of(command));
    for (const auto* const inner : command.get_subcommands({})) {
        add_cases(*inner, path.empty() ? inner->get_name() : path + " " + inner->get_name(), cases);
    }
}

constexpr std::string_view bash_script = R"(# bash completion for sojournctl
_sojournctl() {{
    local word path="" words=""
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ $word == -* ]] || path+="${{path:+ }}$word"
    done
    case $path in
{}    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}")
}}
complete -F _sojournctl sojournctl
)";

} // namespace

std::string completion_script(const CLI::App& program, std::string_view shell)
{
    std::string cases;
    add_cases(program, "", cases);
    const auto script = fmt::format(fmt::runtime(bash_script), cases);
    // zsh runs bash's completions.
    return shell == "zsh"
               ? "#compdef sojournctl\nautoload -U +X bashcompinit && bashcompinit\n" + script
               : script;
}

} // namespace sojourn::cli
