#include "io/random.h"

#include <cerrno>
#include <cstring>

#include <sys/random.h>

#include "base/check.h"

namespace waggle {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  ssize_t got = 0;
  do {
    got = getrandom(&seed, sizeof seed, 0);
  } while (got < 0 && errno == EINTR);
  // Up to 256 bytes come whole or not at all (getrandom(2)).
  WAGGLE_CHECK(got == sizeof seed, std::strerror(errno));
  return seed;
}

}  // namespace waggle
