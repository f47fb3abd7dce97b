// crash/scenarios.h -- what is interrupted: each way of changing a store.
#pragma once
#include <vector>

#include "crash/knowledge.h"

namespace efface::test {

Scenario creating();
Scenario creating_two_regions();  // One of them elsewhere.
Scenario declaring();
Scenario enrolling();
Scenario enrolling_many();  // Buckets split.
Scenario putting();
Scenario erasing();
Scenario erasing_many();
Scenario offboarding();
Scenario maintaining();
Scenario rekeying();
Scenario transferring();
Scenario merging();
Scenario opening();
Scenario in_two_regions();
Scenario suppressing();
Scenario relaxing();                   // Puts and batches, and sync.
Scenario rotating();                   // The root key, twice.
Scenario sweeping();                   // After erasures alone.
Scenario mirrored(Scenario scenario);  // With a mirror of every keyring.
std::vector<Scenario> all_scenarios();

}  // namespace efface::test
