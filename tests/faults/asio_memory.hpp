/// @file
/// The allocations that Asio does not survive the failure of, so that a sweep can spare these and
/// let all others fail.

#ifndef SOJOURN_TESTS_FAULTS_ASIO_MEMORY_HPP
#define SOJOURN_TESTS_FAULTS_ASIO_MEMORY_HPP

namespace sojourn::tests {

/// Whether the allocation in which this is asked is one of those that Asio 1.28 makes where it
/// cannot fail. It says so nowhere; https://github.com/chriskohlhoff/asio/issues/959 is about
/// others.
///
/// - `strand_executor_service` takes memory to schedule a strand that has something to run. If
///   there is none when something is posted to an idle strand, that stays locked for good; if there
///   is none in `~on_invoker_exit`, where the strand hands over to itself, the process ends.
/// - `strand_executor_service::create_implementation` destroys a strand of which not all was made,
///   and whose destructor locks a mutex that is not there yet.
/// - `any_completion_handler` takes memory to tell its executor, and `executor_work_guard` to keep
///   it busy. If there is none, the former gives an empty one, of which a guard cannot be made; and
///   the latter is `noexcept`. Both end the process.
/// - `~awaitable_thread` posts the frames of a coroutine that waits to where they are destroyed.
///
/// For `FailingNew`, in an executable that exports its symbols.
[[nodiscard]] bool is_fatal_to_asio() noexcept;

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_FAULTS_ASIO_MEMORY_HPP
