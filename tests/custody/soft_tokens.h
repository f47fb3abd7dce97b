// A SoftHSM token and a swtpm, each in a temporary directory, for as long as the object lives.
//
// Lifetime  One SoftHSM at a time: the module reads where its tokens are from the environment, when
//           the first store of the process is opened.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "custody/token_fault.h"
#include "support/temp_directory.h"

namespace efface::test {

// Runs a program, waits, and answers its exit code, or -1.
int run(const std::vector<std::string>& command);

class SoftHsm {
 public:
  static constexpr std::string_view label = "efface test";
  static constexpr std::string_view pin = "1234-5678";

  // The package that is not here; or nothing.
  static const char* missing();
  SoftHsm();

  // The stand-in of pkcs11_stand_in.cc, which passes everything on unless it is told otherwise.
  std::filesystem::path module() const;
  TokenFault& fault();
  std::filesystem::path object_directory() const { return directory_ / "tokens"; }

 private:
  TempDirectory directory_{"softhsm"};
};

class SoftTpm {
 public:
  static const char* missing();
  SoftTpm();
  SoftTpm(const SoftTpm&) = delete;
  SoftTpm& operator=(const SoftTpm&) = delete;
  ~SoftTpm();

  // Through the stand-in of tpm_stand_in.cc.
  std::string tcti() const;
  TokenFault& fault();
  void start();
  void stop();  // As if the power went.
  std::filesystem::path state_directory() const { return directory_ / "state"; }

 private:
  bool starts_on(int port);

  TempDirectory directory_{"swtpm"};
  int process_ = -1;
  int port_ = 0;
};

}  // namespace efface::test
