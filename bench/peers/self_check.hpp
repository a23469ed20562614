/// @file
/// Whether the peers do what they claim. None is measured that does not.

#ifndef SOJOURN_BENCH_PEERS_SELF_CHECK_HPP
#define SOJOURN_BENCH_PEERS_SELF_CHECK_HPP

namespace sojourn::bench::peers {

/// Throws `std::runtime_error`, which names the peer and its claim, if one does not hold.
void self_check();

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_SELF_CHECK_HPP
