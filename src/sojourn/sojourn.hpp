/// @file
/// All of sojourn. A project that cares for its build times includes what it uses instead.

#ifndef SOJOURN_SOJOURN_HPP
#define SOJOURN_SOJOURN_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/async/confined.hpp"
#include "sojourn/async/exception_barrier.hpp"
#include "sojourn/async/permit.hpp"
#include "sojourn/async/supervised_loop.hpp"
#include "sojourn/core/acquire_options.hpp"
#include "sojourn/core/attributes.hpp"
#include "sojourn/core/create_options.hpp"
#include "sojourn/core/duration.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/id_source.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/core/rate_limit.hpp"
#include "sojourn/core/removal_cause.hpp"
#include "sojourn/core/semaphore_metrics.hpp"
#include "sojourn/core/semaphore_options.hpp"
#include "sojourn/core/service_options.hpp"
#include "sojourn/core/session_filter.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/core/session_info.hpp"
#include "sojourn/core/session_page.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/core/time.hpp"
#include "sojourn/core/wait_histogram.hpp"
#include "sojourn/fwd.hpp"
#include "sojourn/service/drain_options.hpp"
#include "sojourn/service/drain_report.hpp"
#include "sojourn/service/exclusive_lease.hpp"
#include "sojourn/service/service_environment.hpp"
#include "sojourn/service/service_state.hpp"
#include "sojourn/service/session_lease.hpp"
#include "sojourn/service/session_service.hpp"
#include "sojourn/service/weak_lease.hpp"
#include "sojourn/version.hpp"

#endif // SOJOURN_SOJOURN_HPP
