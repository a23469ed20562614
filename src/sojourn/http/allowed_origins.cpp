#include "sojourn/http/allowed_origins.hpp"

#include <algorithm>

namespace sojourn::http {

bool AllowedOrigins::allow(const SingletonField& field) const
{
    if (field.is_absent()) {
        return true;
    }
    const auto value = field.value();
    const auto origin = value ? Origin::parse(*value) : std::nullopt;
    if (!origin) {
        return false;
    }
    return (listens_on_ == ListensOn::loopback && origin->is_loopback()) ||
           std::ranges::find(origins_, *origin) != origins_.end();
}

} // namespace sojourn::http
