/// @file
/// Every public type, declared and not defined: for headers that only mention them.

#ifndef SOJOURN_FWD_HPP
#define SOJOURN_FWD_HPP

#include <cstdint>

namespace sojourn {

// core
enum class errc : int;
enum class FrameDirection : std::uint8_t;
enum class RemovalCause : std::uint8_t;
enum class SessionUse : std::uint8_t;
enum class WhenFull : std::uint8_t;
class AcquireOptions;
class Attributes;
class CreateOptions;
class Error;
class FrameQuery;
class IdSource;
class ListOptions;
class OsIdSource;
class RateLimit;
class RateLimiter;
class SemaphoreOptions;
class ServiceOptions;
class SessionFilter;
class SessionId;
class SessionReference;
class WaitHistogram;
struct AttributeSnapshot;
struct Frame;
struct FramePage;
struct InvalidOption;
struct Metrics;
struct RemovedSession;
struct SemaphoreMetrics;
struct SessionCursor;
struct SessionInfo;
struct SessionNames;
struct SessionPage;

// async
template <class T>
class Confined;
class AsyncSemaphore;
class Clock;
class ExceptionBarrier;
class Permit;
class SupervisedLoop;
class SystemClock;
class Timer;
struct CallCounts;
struct LoopHealth;

// service
enum class CleanupScope : std::uint8_t;
class ExclusiveLease;
enum class ServiceState : std::uint8_t;
class DrainOptions;
class RotateOptions;
class ServiceEnvironment;
class SessionLease;
class SessionService;
class WeakLease;
struct CreatedSession;
struct DrainReport;
struct Health;

} // namespace sojourn

#endif // SOJOURN_FWD_HPP
