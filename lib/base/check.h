// base/check.h -- our own broken invariants. In every build type; prints no data.
#pragma once

namespace efface::base {
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;
}

#define EFFACE_CHECK(condition)                                          \
  do {                                                                   \
    if (!(condition)) [[unlikely]]                                       \
      ::efface::base::check_failed(#condition, __FILE_NAME__, __LINE__); \
  } while (false)

// Names that no nested use can shadow.
#define EFFACE_JOIN_(a, b) a##b
#define EFFACE_JOIN(a, b) EFFACE_JOIN_(a, b)

// Answers the error of a Status or Result<T> expression from the enclosing function.
#define EFFACE_TRY(expression) EFFACE_TRY_NAMED(expression, EFFACE_JOIN(efface_tried_, __COUNTER__))
#define EFFACE_TRY_NAMED(expression, holder)                          \
  do {                                                                \
    if (auto&& holder = (expression); !holder) return holder.error(); \
  } while (false)

// Makes `target` the value of a Result<T> expression, or answers its error.
#define EFFACE_ASSIGN(target, expression) \
  EFFACE_ASSIGN_NAMED(target, expression, EFFACE_JOIN(efface_result_, __COUNTER__))
#define EFFACE_ASSIGN_NAMED(target, expression, holder) \
  auto holder = (expression);                           \
  if (!holder) return holder.error();                   \
  target = std::move(holder).value()
