// cli/destroying.h -- which verbs destroy something that no other verb brings back. Each has
// --dry-run, and is tried with it. A new verb goes into one of the two lists.
#pragma once
#include <set>
#include <string>

namespace efface::test {

inline const std::set<std::string> destroying = {
    "consent withdraw", "erase",           "hold release", "maintain",        "merge",
    "remove",           "restore",         "root migrate", "root passphrase", "root rotate",
    "retention commit", "tenant offboard", "suppress",     "transfer person",
};

// put and import replace values: that is what they are for.
inline const std::set<std::string> keeping = {
    "backup make",
    "backup verify",
    "capsule make",
    "check",
    "consent grant",
    "consent show",
    "doctor",
    "export open",
    "export person",
    "export read",
    "export tenant",
    "forensics",
    "get",
    "hold add",
    "hold show",
    "identifier add",
    "identifier list",
    "import",
    "incident close",
    "incident concerned",
    "incident export",
    "incident list",
    "incident notify",
    "incident open",
    "incident show",
    "incident update",
    "init",
    "keygen",
    "ledger checkpoint",
    "ledger key",
    "ledger list",
    "ledger proof",
    "lift",
    "list",
    "metrics",
    "mirror status",
    "object",
    "purpose add",
    "purpose list",
    "put",
    "query",
    "receipt",
    "reinstate",
    "restrict",
    "retention plan",
    "retention show",
    "root status",
    "stat",
    "tenant add",
    "tenant agreement set",
    "tenant agreement show",
    "tenant list",
    "tenant processing",
    "top",
    "transfer rule add",
    "transfer rule list",
    "verify",
};

}  // namespace efface::test
