/* A library of another kind each time that it is built with another CHANGE. */
#include <stdint.h>

enum colour {
#if CHANGE == 1
  COLOUR_NONE,
#endif
  COLOUR_RED
};
struct options {
#if CHANGE == 2
  uint32_t flags;
#endif
  uint64_t size;
};
#if CHANGE == 3
typedef uint64_t count;
#else
typedef uint32_t count;
#endif

int changed(const struct options* options, enum colour colour, count of);
int changed(const struct options* options, enum colour colour, count of) {
  return options != 0 && colour == COLOUR_RED && of != 0;
}
#if CHANGE == 4
int added(void);
int added(void) { return 0; }
#endif
