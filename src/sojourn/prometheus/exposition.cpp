#include "sojourn/prometheus/exposition.hpp"

#include "sojourn/prometheus/families.hpp"

#include <prometheus/text_serializer.h>

namespace sojourn::prometheus {

std::string exposition(const Sample& sample)
{
    const ::prometheus::TextSerializer to_text;
    return to_text.Serialize(families(sample));
}

} // namespace sojourn::prometheus
