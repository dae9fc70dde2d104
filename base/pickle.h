// A restricted reader of Python pickles: plain data, and none of the code a pickle can name.
//
//   ASSIGN_OR_RETURN(const Pickle pickle, Pickle::Parse(bytes));
//   if (pickle.root().kind == PickleNode::Kind::kDict) …
//
// Protocols 2 to 4, as far as files of tensors use them.
#ifndef BASE_PICKLE_H_
#define BASE_PICKLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

// One Python object. A pickle is a graph of them: an object may be referenced from several places,
// even from inside itself, so a walk must bound its depth and its steps.
struct PickleNode {
  enum class Kind {
    kNone,
    kBool,          // integer: 0 or 1
    kInt,           // integer
    kFloat,         // whose value no file of tensors needs
    kString,        // text: str (UTF-8) or bytes
    kSequence,      // items: the elements of a list or tuple
    kDict,          // items: key, value, key, value …; also a collections.OrderedDict
    kGlobal,        // text: the "module.name" of a class or function
    kCall,          // items: a callable and the sequence of its arguments, which was not called
    kPersistentId,  // items: the id, whose meaning is the application's
  };

  Kind kind = Kind::kNone;
  int64_t integer = 0;
  std::string text;
  std::vector<const PickleNode*> items;
};

inline constexpr size_t kPickleMemory = 256;

class Pickle {
 public:
  // Reads the pickle that `bytes` begins with. DataLoss or InvalidArgument, naming the offset, if
  // it is damaged, uses an operation outside plain data, or asks for more than kPickleMemory bytes
  // of memory for each of its own (a few operations may copy a list many times over).
  static absl::StatusOr<Pickle> Parse(absl::string_view bytes);

  // Movable only: nodes point to each other.
  Pickle(Pickle&&) = default;
  Pickle& operator=(Pickle&&) = default;

  const PickleNode& root() const { return *root_; }

  // Every object, in the order of creation.
  const std::deque<PickleNode>& nodes() const { return nodes_; }

  // How many bytes the pickle took.
  size_t size() const { return size_; }

 private:
  friend class PickleMachine;
  Pickle() = default;

  std::deque<PickleNode> nodes_;
  const PickleNode* root_ = nullptr;
  size_t size_ = 0;
};

}  // namespace base

#endif  // BASE_PICKLE_H_
