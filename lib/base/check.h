// base/check.h -- our own broken invariants. In every build type; prints no data.
#pragma once

namespace efface::base {
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;
}

#define EFFACE_CHECK(condition)                                           \
  do {                                                                    \
    if (!(condition)) [[unlikely]]                                        \
      ::efface::base::check_failed(#condition, __FILE_NAME__, __LINE__);  \
  } while (false)

// Answers the error of a Status or Result<T> expression from the enclosing function.
#define EFFACE_TRY(expression)                                  \
  do {                                                          \
    if (auto efface_tried = (expression); !efface_tried)        \
      return efface_tried.error();                              \
  } while (false)

// Declares `target` as the value of a Result<T> expression, or answers its error.
#define EFFACE_ASSIGN_NAMED(target, expression, holder) \
  auto holder = (expression);                           \
  if (!holder) return holder.error();                   \
  target = std::move(holder).value()
#define EFFACE_ASSIGN_LINE(target, expression, line) \
  EFFACE_ASSIGN_NAMED(target, expression, efface_result_##line)
#define EFFACE_ASSIGN_AT(target, expression, line) EFFACE_ASSIGN_LINE(target, expression, line)
#define EFFACE_ASSIGN(target, expression) EFFACE_ASSIGN_AT(target, expression, __LINE__)
