// base/utf8.h -- is this text UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF)?
#pragma once
#include <string_view>

namespace efface::base {

bool is_utf8(std::string_view text) noexcept;

// A label (region, tenant, purpose, actor): 1 to 64 of [a-z0-9_.-], first a letter or digit. It can
// stand in a path and in a log, and neither an e-mail address nor a capitalised name fits.
bool is_label(std::string_view text) noexcept;

}  // namespace efface::base
