#include "http/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <system_error>

namespace sojourn::tests {

namespace {

void check(int error, const char* what)
{
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), what);
    }
}

} // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command)
{
    std::array<int, 2> ends{};
    check(::pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
    pipe_ = ends[0];

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);

    std::vector<char*> arguments;
    for (const auto& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str())
        ); // NOLINT(cppcoreguidelines-pro-type-const-cast): C
    }
    arguments.push_back(nullptr);
    const int error =
        ::posix_spawn(&process_, arguments.front(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
        ::close(pipe_);
    }
    check(error, "posix_spawn");
}

ChildProcess::~ChildProcess()
{
    if (process_ > 0) {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
    ::close(pipe_);
}

std::string ChildProcess::read_line(Location where)
{
    const TimeLimit until(default_limit);
    while (true) {
        if (const auto end = output_.find('\n'); end != std::string::npos) {
            auto line = output_.substr(0, end);
            output_.erase(0, end + 1);
            return line;
        }
        if (!read_some(until, where)) {
            throw std::runtime_error("the program ended without another line: " + output_);
        }
    }
}

void ChildProcess::signal(int number) const
{
    check(::kill(process_, number) == 0 ? 0 : errno, "kill");
}

int ChildProcess::wait(Location where)
{
    const TimeLimit until(default_limit);
    while (read_some(until, where)) {
    }
    // Its output ended, so it is ending too.
    int status = 0;
    check(::waitpid(process_, &status, 0) == process_ ? 0 : errno, "waitpid");
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Reads what there is, waiting for it; false when there will be no more.
bool ChildProcess::read_some(const TimeLimit& until, const Location& where)
{
    pollfd readable{pipe_, POLLIN, 0};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until.end() - TimeLimit::clock::now());
    const int ready =
        ::poll(&readable, 1, static_cast<int>(std::max<std::ptrdiff_t>(left.count(), 0)));
    if (ready == 0) {
        throw TimedOut("the program neither wrote nor ended; so far: " + output_, where);
    }
    std::array<char, 4096> part{};
    const auto length = ready < 0 ? -1 : ::read(pipe_, part.data(), part.size());
    if (length < 0) {
        check(errno == EINTR ? 0 : errno, "read");
        return true;
    }
    output_.append(part.data(), static_cast<std::size_t>(length));
    return length > 0;
}

} // namespace sojourn::tests
