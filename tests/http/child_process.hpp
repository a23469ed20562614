/// @file
/// A program started by a test: its output is read as it comes, and every wait has a limit.

#ifndef SOJOURN_TESTS_HTTP_CHILD_PROCESS_HPP
#define SOJOURN_TESTS_HTTP_CHILD_PROCESS_HPP

#include "support/time_limit.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace sojourn::tests {

class ChildProcess {
public:
    /// Starts it. Its output and its errors are read as one.
    explicit ChildProcess(const std::vector<std::string>& command);
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ChildProcess(ChildProcess&&) = delete;
    ChildProcess& operator=(ChildProcess&&) = delete;

    /// Kills it, if it has not ended.
    ~ChildProcess();

    /// The next line that it writes, without its end.
    std::string read_line(Location where = Location::current());

    /// Sends it a signal.
    void signal(int number) const;

    /// Waits for its end and returns its exit status, or 128 and the signal that ended it. What it
    /// wrote until then is added to `output`.
    int wait(Location where = Location::current());

    /// All that it wrote and that was not read as a line.
    [[nodiscard]] const std::string& output() const { return output_; }

private:
    bool read_some(const TimeLimit& until, const Location& where);

    pid_t process_ = -1;
    int pipe_ = -1;
    std::string output_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_HTTP_CHILD_PROCESS_HPP
