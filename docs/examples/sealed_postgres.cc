// A shop that keeps its orders in PostgreSQL, and has efface for the keys alone. When a customer is
// erased nothing changes in the database: what its rows, write-ahead log, copies and dumps have of
// her opens no more.
//
// sealed_postgres DIRECTORY CONNECTION begin   a store and a table; those that stand there are
//                                              replaced
// sealed_postgres DIRECTORY CONNECTION place ORDER CUSTOMER PURPOSE TEXT
// sealed_postgres DIRECTORY CONNECTION show CUSTOMER
// sealed_postgres DIRECTORY CONNECTION erase CUSTOMER
#include <libpq-fe.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "example.h"

namespace {

using namespace examples;

class Answer {
 public:
  explicit Answer(PGresult* result) : result_(result, PQclear) {
    const ExecStatusType status = PQresultStatus(result);
    check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
  }
  int rows() const { return PQntuples(result_.get()); }
  std::string_view at(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
  }

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

class Database {
 public:
  explicit Database(const std::string& connection)
      : connection_(PQconnectdb(connection.c_str()), PQfinish) {
    check(PQstatus(connection_.get()) == CONNECTION_OK);
  }

  // Parameters and answer are binary: bytes go in and come out as they are.
  Answer run(const char* sql, std::initializer_list<std::string_view> parameters = {}) const {
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const std::string_view parameter : parameters) {
      values.push_back(parameter.data());
      lengths.push_back(static_cast<int>(parameter.size()));
    }
    const std::vector<int> binary(values.size(), 1);
    return Answer(PQexecParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr,
                               values.data(), lengths.data(), binary.data(), 1));
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

// A bigint, as PostgreSQL takes it.
std::string bigint(std::int64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

// What efface knows a customer by: the database has her number alone.
std::string id_of(std::int64_t customer) { return "customer-" + std::to_string(customer); }

// begin: place
// The column and the row: what is sealed for one order opens for no other.
std::string place_of(std::int64_t order) { return "orders.sealed/" + std::to_string(order); }

void place(const Database& database, const Tenant& shop, const Subject& subject, std::int64_t order,
           std::int64_t customer, std::string_view purpose, std::string_view text) {
  const Sealer sealer = must(shop.sealer(must(shop.purpose(purpose))));
  const auto sealed = must(sealer.seal(subject, SealContext(place_of(order)), as_bytes(text)));
  database.run("insert into orders (id, customer_row, purpose, sealed) values ($1, $2, $3, $4)",
               {bigint(order), bigint(customer), purpose, as_text(sealed)});
}
// end: place

// begin: read
// What an order says, or why nobody is told: subject_unknown, as soon as the customer is erased;
// seal_unknown, where she has come back and it is from before.
Result<std::string> read(const Tenant& shop, std::int64_t order, std::int64_t customer,
                         std::string_view purpose, Bytes sealed) {
  const auto subject = shop.subject(SubjectId(id_of(customer)));
  if (!subject) return subject.error();
  const Sealer sealer = must(shop.sealer(must(shop.purpose(purpose))));
  const auto opened = sealer.open(*subject, SealContext(place_of(order)), sealed);
  if (!opened) return opened.error();
  return std::string(as_text(opened->bytes()));
}
// end: read

// begin: erase
// The database is not asked, nor is any copy of it looked for. Her rows are bytes of no use from
// now on: they may be deleted whenever that is convenient.
std::size_t erase(const Tenant& shop, std::int64_t customer) {
  return must(shop.erase(must(shop.subject(SubjectId(id_of(customer)))))).erased;
}
// end: erase

void begin(Trial& trial, const Database& database) {
  const Store store = trial.create();
  const Region eu = must(store.region("eu"));
  const Tenant shop = must(store.declare_tenant("acme", {&eu, 1}, Actor("shop")));
  must(shop.declare_purpose({"delivery"}));
  must(shop.declare_purpose({"complaints"}));
  database.run("set client_min_messages = warning");
  database.run("drop table if exists orders");
  database.run(
      "create table orders (id bigint primary key, customer_row bigint not null,"
      " purpose text not null, sealed bytea not null)");
}

void show(const Database& database, const Tenant& shop, std::int64_t customer) {
  const Answer orders = database.run(
      "select id::text, purpose, sealed from orders where customer_row = $1 order by id",
      {bigint(customer)});
  for (int row = 0; row < orders.rows(); ++row) {
    const std::string order(orders.at(row, 0));
    const std::string purpose(orders.at(row, 1));
    const auto text = read(shop, std::stoll(order), customer, purpose, as_bytes(orders.at(row, 2)));
    std::printf("%s %s: %s\n", order.c_str(), purpose.c_str(),
                text ? text->c_str() : name(text.error().code()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> said(argv + 1, argv + argc);
  if (said.size() < 3) return 2;
  Trial trial(said[0]);
  const Database database(said[1]);
  const std::string& verb = said[2];
  if (verb == "begin") {
    begin(trial, database);
    return 0;
  }
  if (said.size() < 4) return 2;
  const Store store = trial.open();
  const Tenant shop = must(store.tenant("acme", Actor("shop")));
  if (verb == "place" && said.size() == 7) {
    const std::int64_t customer = std::stoll(said[4]);
    const std::string id = id_of(customer);
    const SubjectId ids[] = {SubjectId(id)};
    const auto subjects = must(shop.find_or_enrol(ids, must(store.region("eu"))));
    place(database, shop, subjects[0], std::stoll(said[3]), customer, said[5], said[6]);
  } else if (verb == "show") {
    show(database, shop, std::stoll(said[3]));
  } else if (verb == "erase") {
    std::printf("%zu erased\n", erase(shop, std::stoll(said[3])));
  } else {
    return 2;
  }
  return 0;
}
