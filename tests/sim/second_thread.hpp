/// @file
/// A second thread that takes turns with the first: it runs while that waits for it, and at no
/// other time. So what it does comes between two instructions of the first thread, as in a server
/// with many, and yet always between the same.

#ifndef SOJOURN_TESTS_SIM_SECOND_THREAD_HPP
#define SOJOURN_TESTS_SIM_SECOND_THREAD_HPP

#include <functional>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <utility>

namespace sojourn::tests::sim {

class SecondThread {
public:
    SecondThread()
        : thread_([this](const std::stop_token& stopped) {
              for (;;) {
                  begin_.acquire();
                  if (stopped.stop_requested()) {
                      return;
                  }
                  task_();
                  end_.release();
              }
          })
    {
    }

    SecondThread(const SecondThread&) = delete;
    SecondThread& operator=(const SecondThread&) = delete;
    SecondThread(SecondThread&&) = delete;
    SecondThread& operator=(SecondThread&&) = delete;

    ~SecondThread()
    {
        thread_.request_stop();
        begin_.release();
    }

    /// Runs the task there, to its end. It must not throw.
    void run(std::function<void()> task)
    {
        task_ = std::move(task);
        begin_.release();
        end_.acquire();
    }

private:
    std::function<void()> task_;
    std::binary_semaphore begin_{0};
    std::binary_semaphore end_{0};
    std::jthread thread_;
};

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_SECOND_THREAD_HPP
