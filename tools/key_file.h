// tools/key_file.h -- keys in files: 64 hexadecimal digits on a line.
//
// Errors  io: cannot be read. invalid_argument: not such a file. unsafe_path: a secret that others
//         may read.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "efface/portability.h"
#include "tools/wiped.h"

namespace efface::cli {

inline constexpr std::size_t key_bytes = 32;

WipedText hex_of_key(std::span<const std::byte> bytes);
RecipientPublicKey recipient_key(const std::string& path);
RecipientKeyPair recipient_keys(const std::string& path);  // Of a secret key.

}  // namespace efface::cli
