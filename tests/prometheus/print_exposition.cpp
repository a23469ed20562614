/// @file
/// Prints what is exposed of a busy service, for promtool to check.

#include "prometheus/busy_service.hpp"

#include <sojourn/prometheus/exposition.hpp>

#include <iostream>

int main()
{
    std::cout << sojourn::prometheus::exposition(sojourn::tests::busy_service().sample);
}
