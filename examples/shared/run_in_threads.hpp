/// @file
/// How our programs run their execution context.

#ifndef EXAMPLES_SHARED_RUN_IN_THREADS_HPP
#define EXAMPLES_SHARED_RUN_IN_THREADS_HPP

#include <boost/asio/io_context.hpp>

namespace examples {

/// Runs a context in this thread and so many others, until it is stopped. *Exceptions*:
/// `std::runtime_error` if there are not so many threads to be had.
void run_in_threads(boost::asio::io_context& context, unsigned count);

} // namespace examples

#endif // EXAMPLES_SHARED_RUN_IN_THREADS_HPP
