/// @file
/// An executor that counts what it runs and knows whether it is running, to prove that a completion
/// came through the executor it belongs to.

#ifndef SOJOURN_TESTS_SUPPORT_TRACKING_EXECUTOR_HPP
#define SOJOURN_TESTS_SUPPORT_TRACKING_EXECUTOR_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <atomic>
#include <memory>
#include <type_traits>
#include <utility>

namespace sojourn::tests {

/// Wraps an executor. Copies, and what `require` and `prefer` make of it, share one count.
///
/// *Thread safety*: all members, any thread.
class TrackingExecutor {
public:
    template <class Inner>
        requires(!std::is_same_v<Inner, TrackingExecutor>)
    explicit TrackingExecutor(const Inner& inner) : inner_(inner), track_(std::make_shared<Track>())
    {
    }

    /// Functions that were run through it.
    [[nodiscard]] int executed() const noexcept { return track_->executed.load(); }

    /// Whether the calling thread is running something through it now.
    [[nodiscard]] bool running_in_this_thread() const noexcept { return current() == track_.get(); }

    template <class Function>
    void execute(Function&& function) const
    {
        inner_.execute(Tracked<std::decay_t<Function>>{track_, std::forward<Function>(function)});
    }

    template <class Property>
        requires boost::asio::can_query_v<const boost::asio::any_io_executor&, Property>
    [[nodiscard]] decltype(auto) query(const Property& property) const
    {
        return boost::asio::query(inner_, property);
    }

    template <class Property>
        requires boost::asio::can_require_v<const boost::asio::any_io_executor&, Property>
    [[nodiscard]] TrackingExecutor require(const Property& property) const
    {
        return {boost::asio::require(inner_, property), track_};
    }

    template <class Property>
        requires boost::asio::can_prefer_v<const boost::asio::any_io_executor&, Property>
    [[nodiscard]] TrackingExecutor prefer(const Property& property) const
    {
        return {boost::asio::prefer(inner_, property), track_};
    }

    [[nodiscard]] bool operator==(const TrackingExecutor& other) const noexcept
    {
        return track_ == other.track_ && inner_ == other.inner_;
    }

private:
    struct Track {
        std::atomic<int> executed{0};
    };

    template <class Function>
    struct Tracked {
        std::shared_ptr<Track> track;
        Function function;

        void operator()()
        {
            track->executed.fetch_add(1);
            const Scope scope(*track);
            std::move(function)();
        }
    };

    class Scope {
    public:
        explicit Scope(Track& track) noexcept : outer_(std::exchange(current(), &track)) {}

        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        Scope(Scope&&) = delete;
        Scope& operator=(Scope&&) = delete;

        ~Scope() { current() = outer_; }

    private:
        Track* outer_;
    };

    TrackingExecutor(boost::asio::any_io_executor inner, std::shared_ptr<Track> track)
        : inner_(std::move(inner)), track_(std::move(track))
    {
    }

    static Track*& current() noexcept
    {
        thread_local Track* track = nullptr;
        return track;
    }

    boost::asio::any_io_executor inner_;
    std::shared_ptr<Track> track_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_TRACKING_EXECUTOR_HPP
