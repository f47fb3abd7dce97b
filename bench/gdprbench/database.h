// gdprbench/database.h -- what the workloads ask of a database. Every change is durable when it
// answers.
//
// Threads  One.
// Errors   Any ends the program.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gdprbench/spec.h"

namespace efface::bench::gdpr {

struct Facts {
  std::string name;
  std::string model;    // How records and questions are mapped.
  bool has_as_shipped;  // It can also be asked in the public clients' way.
};

class Database {
 public:
  virtual ~Database() = default;
  virtual void load(std::span<const Row> rows) = 0;
  virtual void insert(const Row& row) = 0;
  virtual std::optional<Row> read(std::uint32_t key) = 0;
  // Answers whether it was there; otherwise it is there now.
  virtual bool update(const Row& row) = 0;
  virtual bool remove(std::uint32_t key) = 0;
  virtual std::vector<Row> read_where(Field where, std::uint32_t value) = 0;
  // Each answers how many there were.
  virtual std::size_t update_where(Field where, std::uint32_t value, Field field,
                                   std::uint32_t to) = 0;
  virtual std::size_t remove_where(Field where, std::uint32_t value) = 0;
  // The last so many lines of what is logged; how many there were.
  virtual std::size_t read_log(std::size_t lines) = 0;

  virtual std::uint64_t file_bytes() = 0;
};

// Each database's source defines these. Empty, and asked in the way that its users take, with an
// index where they have one; or in the public clients' way, with none.
std::unique_ptr<Database> make_database(bool as_shipped);
Facts facts();

}  // namespace efface::bench::gdpr
