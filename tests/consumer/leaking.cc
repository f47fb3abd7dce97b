// A library as it must not be: one name of its own insides can be seen, and few of those it owes.
namespace efface {
int hidden_away();
int hidden_away() { return 1; }
}  // namespace efface
