// Every test of this program runs in an initialised layer.
#include <gtest/gtest.h>

#include "crypto/secret.h"

namespace {

class Initialised final : public testing::Environment {
 public:
  void SetUp() override { ASSERT_TRUE(efface::crypto::initialise()); }
};
const auto* const environment = testing::AddGlobalTestEnvironment(new Initialised);

}  // namespace
