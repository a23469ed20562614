/// @file
/// `import sojourn;` gives what `#include <sojourn/sojourn.hpp>` gives: the headers are the truth,
/// and are compiled once into the library. A style check compares the names below with theirs.

module;

#include "sojourn/sojourn.hpp"

export module sojourn;

export namespace sojourn {

// core/acquire_options.hpp
using sojourn::AcquireOptions;

// core/attributes.hpp
using sojourn::Attributes;
using sojourn::AttributeSnapshot;

// core/create_options.hpp
using sojourn::CreateOptions;
using sojourn::max_peer_length;
using sojourn::max_principal_length;

// core/duration.hpp
using sojourn::max_duration;
using sojourn::parse_duration;
using sojourn::to_string;

// core/error.hpp
using sojourn::errc;
using sojourn::Error;
using sojourn::error_category;
using sojourn::make_error_code;
using sojourn::Result;
using sojourn::throw_exception_from_error;

// core/frame.hpp
using sojourn::Frame;
using sojourn::FrameDirection;

// core/frame_page.hpp
using sojourn::FramePage;
using sojourn::FrameQuery;

// core/id_source.hpp
using sojourn::draw_id;
using sojourn::draw_names;
using sojourn::IdSource;
using sojourn::OsIdSource;
using sojourn::SessionNames;

// core/metrics.hpp
using sojourn::Metrics;

// core/rate_limit.hpp
using sojourn::RateLimit;
using sojourn::RateLimiter;

// core/removal_cause.hpp
using sojourn::removal_cause_count;
using sojourn::removal_causes;
using sojourn::RemovalCause;

// core/semaphore_metrics.hpp
using sojourn::SemaphoreMetrics;

// core/semaphore_options.hpp
using sojourn::SemaphoreOptions;

// core/service_options.hpp
using sojourn::InvalidOption;
using sojourn::is_valid_rate;
using sojourn::is_valid_timeout;
using sojourn::ServiceOptions;
using sojourn::WhenFull;

// core/session_filter.hpp
using sojourn::SessionFilter;

// core/session_id.hpp
using sojourn::SessionId;

// core/session_info.hpp
using sojourn::RemovedSession;
using sojourn::SessionInfo;
using sojourn::SessionUse;

// core/session_page.hpp
using sojourn::ListOptions;
using sojourn::SessionCursor;
using sojourn::SessionPage;

// core/session_reference.hpp
using sojourn::SessionReference;

// core/time.hpp
using sojourn::Duration;
using sojourn::saturating_add;
using sojourn::time_between;
using sojourn::TimePoint;
using sojourn::WallTime;

// core/wait_histogram.hpp
using sojourn::WaitHistogram;

// async/async_semaphore.hpp
using sojourn::AsyncSemaphore;

// async/clock.hpp
using sojourn::Clock;
using sojourn::SystemClock;
using sojourn::Timer;

// async/confined.hpp
using sojourn::CallCounts;
using sojourn::Confined;

// async/exception_barrier.hpp
using sojourn::ExceptionBarrier;
using sojourn::FailureReporter;

// async/permit.hpp
using sojourn::Permit;

// async/supervised_loop.hpp
using sojourn::LoopHealth;
using sojourn::SupervisedLoop;

// service/drain_options.hpp
using sojourn::DrainOptions;

// service/drain_report.hpp
using sojourn::DrainReport;

// service/service_environment.hpp
using sojourn::CreationListener;
using sojourn::RemovalListener;
using sojourn::ServiceEnvironment;

// service/service_state.hpp
using sojourn::ServiceState;

// service/session_lease.hpp
using sojourn::CreatedSession;
using sojourn::ExclusiveLease;
using sojourn::SessionLease;
using sojourn::WeakLease;

// service/session_service.hpp
using sojourn::CleanupScope;
using sojourn::Health;
using sojourn::RotateOptions;
using sojourn::SessionService;

// version.hpp
using sojourn::version;
using sojourn::version_major;
using sojourn::version_minor;
using sojourn::version_patch;

} // namespace sojourn
