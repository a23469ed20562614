#include "support/time_limit.hpp"

namespace sojourn::tests {

TimedOut::TimedOut(const std::string& what, const Location& where)
    : std::runtime_error(
          std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": " + what
      )
{
}

} // namespace sojourn::tests
