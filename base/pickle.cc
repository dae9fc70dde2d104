#include "base/pickle.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace base {

using Kind = PickleNode::Kind;

// The stack machine that a pickle is a program for (Python's pickletools documents its operations).
class PickleMachine {
 public:
  explicit PickleMachine(absl::string_view bytes)
      : bytes_(bytes), memory_(kPickleMemory * bytes.size()) {}

  absl::StatusOr<Pickle> Run() {
    while (pickle_.root_ == nullptr) {
      const size_t offset = position_;
      if (absl::Status status = Step(); !status.ok()) {
        return absl::Status(status.code(),
                            absl::StrCat("pickle byte ", offset, ": ", status.message()));
      }
    }
    pickle_.size_ = position_;
    return std::move(pickle_);
  }

 private:
  static absl::Status Damaged(absl::string_view what) { return absl::DataLossError(what); }

  // Accounts for memory about to be taken. What is given back is not counted, so this bounds the
  // work as well.
  absl::Status Spend(size_t bytes) {
    if (bytes > memory_) {
      return Damaged(absl::StrCat("grows to more than ", kPickleMemory, " times its size"));
    }
    memory_ -= bytes;
    return absl::OkStatus();
  }

  absl::Status Push(PickleNode* node) {
    RETURN_IF_ERROR(Spend(sizeof(node)));
    stack_.push_back(node);
    return absl::OkStatus();
  }

  absl::Status PushNew(Kind kind) {
    RETURN_IF_ERROR(Spend(sizeof(PickleNode)));
    pickle_.nodes_.emplace_back().kind = kind;
    return Push(&pickle_.nodes_.back());
  }

  // Adds `items` to those of `node`.
  absl::Status AddItems(PickleNode& node, const std::vector<const PickleNode*>& items) {
    RETURN_IF_ERROR(Spend(items.size() * sizeof(items[0])));
    node.items.insert(node.items.end(), items.begin(), items.end());
    return absl::OkStatus();
  }

  absl::Status PushInt(Kind kind, int64_t value) {
    RETURN_IF_ERROR(PushNew(kind));
    stack_.back()->integer = value;
    return absl::OkStatus();
  }

  absl::Status PushText(Kind kind, absl::string_view text) {
    RETURN_IF_ERROR(Spend(text.size()));
    RETURN_IF_ERROR(PushNew(kind));
    stack_.back()->text = std::string(text);
    return absl::OkStatus();
  }

  absl::StatusOr<absl::string_view> Take(uint64_t size) {
    if (size > bytes_.size() - position_) return Damaged("ends inside an operation");
    position_ += size;
    return bytes_.substr(position_ - size, size);
  }

  // A little-endian number.
  template <typename T>
  absl::StatusOr<T> TakeNumber() {
    ASSIGN_OR_RETURN(const absl::string_view bytes, Take(sizeof(T)));
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

  absl::StatusOr<absl::string_view> TakeLine() {
    const size_t end = bytes_.find('\n', position_);
    if (end == absl::string_view::npos) return Damaged("ends inside a line");
    const absl::string_view line = bytes_.substr(position_, end - position_);
    position_ = end + 1;
    return line;
  }

  absl::StatusOr<PickleNode*> Pop() {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) return Damaged("takes from an empty stack");
    PickleNode* node = stack_.back();
    stack_.pop_back();
    return node;
  }

  absl::StatusOr<std::vector<const PickleNode*>> PopToMark() {
    if (marks_.empty()) return Damaged("has no mark to go back to");
    RETURN_IF_ERROR(Spend((stack_.size() - marks_.back()) * sizeof(stack_[0])));
    std::vector<const PickleNode*> items(stack_.begin() + marks_.back(), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  absl::Status PushSequence(std::vector<const PickleNode*> items) {
    RETURN_IF_ERROR(PushNew(Kind::kSequence));
    stack_.back()->items = std::move(items);
    return absl::OkStatus();
  }

  absl::Status PushTuple(int size) {
    std::vector<const PickleNode*> items(size);
    for (int i = size - 1; i >= 0; --i) {
      ASSIGN_OR_RETURN(items[i], Pop());
    }
    return PushSequence(std::move(items));
  }

  template <typename Length>
  absl::Status PushTextOfLength() {
    ASSIGN_OR_RETURN(const Length length, TakeNumber<Length>());
    ASSIGN_OR_RETURN(const absl::string_view text, Take(length));
    return PushText(Kind::kString, text);
  }

  template <typename T>
  absl::Status PushNumber() {
    ASSIGN_OR_RETURN(const T value, TakeNumber<T>());
    return PushInt(Kind::kInt, value);
  }

  // A two's complement number of any length, little-endian.
  absl::Status PushLong() {
    ASSIGN_OR_RETURN(const uint8_t size, TakeNumber<uint8_t>());
    if (size > sizeof(int64_t)) return absl::InvalidArgumentError("an integer exceeds 64 bits");
    ASSIGN_OR_RETURN(const absl::string_view bytes, Take(size));
    int64_t value = size > 0 && static_cast<int8_t>(bytes[size - 1]) < 0 ? -1 : 0;
    std::memcpy(&value, bytes.data(), size);
    return PushInt(Kind::kInt, value);
  }

  absl::Status PushFloat() {
    RETURN_IF_ERROR(TakeNumber<uint64_t>().status());
    return PushNew(Kind::kFloat);
  }

  absl::Status PushGlobal() {
    ASSIGN_OR_RETURN(const absl::string_view module, TakeLine());
    ASSIGN_OR_RETURN(const absl::string_view name, TakeLine());
    return PushText(Kind::kGlobal, absl::StrCat(module, ".", name));
  }

  absl::Status PushStackGlobal() {
    ASSIGN_OR_RETURN(const PickleNode* name, Pop());
    ASSIGN_OR_RETURN(const PickleNode* module, Pop());
    // A name made of names doubles each time: what it is made of counts before it is made.
    RETURN_IF_ERROR(Spend(module->text.size() + name->text.size()));
    return PushText(Kind::kGlobal, absl::StrCat(module->text, ".", name->text));
  }

  absl::Status PushCall() {
    ASSIGN_OR_RETURN(const PickleNode* arguments, Pop());
    ASSIGN_OR_RETURN(const PickleNode* callable, Pop());
    if (arguments->kind != Kind::kSequence) return Damaged("calls without arguments");
    if (callable->text != "collections.OrderedDict") {
      RETURN_IF_ERROR(PushNew(Kind::kCall));
      stack_.back()->items = {callable, arguments};
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(PushNew(Kind::kDict));
    // Python 2 passes the contents: OrderedDict([[key, value], …]).
    if (arguments->items.empty()) return absl::OkStatus();
    for (const PickleNode* pair : arguments->items[0]->items) {
      if (pair->items.size() != 2) return Damaged("has a dict of something else than pairs");
      RETURN_IF_ERROR(AddItems(*stack_.back(), pair->items));
    }
    return absl::OkStatus();
  }

  absl::Status PushPersistentId() {
    ASSIGN_OR_RETURN(const PickleNode* id, Pop());
    RETURN_IF_ERROR(PushNew(Kind::kPersistentId));
    stack_.back()->items = {id};
    return absl::OkStatus();
  }

  // Adds to the container on the stack. An object of a class (kCall) keeps no contents.
  absl::Status Extend(Kind kind, const std::vector<const PickleNode*>& items) {
    ASSIGN_OR_RETURN(PickleNode * container, Pop());
    if (kind == Kind::kDict && items.size() % 2 != 0) return Damaged("has a key without a value");
    if (container->kind == kind) {
      RETURN_IF_ERROR(AddItems(*container, items));
    } else if (container->kind != Kind::kCall) {
      return Damaged("adds to something that is no container");
    }
    return Push(container);
  }

  absl::Status Append() {
    ASSIGN_OR_RETURN(const PickleNode* item, Pop());
    return Extend(Kind::kSequence, {item});
  }

  absl::Status SetItem() {
    ASSIGN_OR_RETURN(const PickleNode* value, Pop());
    ASSIGN_OR_RETURN(const PickleNode* key, Pop());
    return Extend(Kind::kDict, {key, value});
  }

  absl::Status ExtendByMarked(Kind kind) {
    ASSIGN_OR_RETURN(const auto items, PopToMark());
    return Extend(kind, items);
  }

  absl::Status PushTupleOfMarked() {
    ASSIGN_OR_RETURN(auto items, PopToMark());
    return PushSequence(std::move(items));
  }

  absl::Status Memoize(uint64_t index) {
    constexpr size_t kEntrySize = 48;  // with its share of the table
    RETURN_IF_ERROR(Spend(kEntrySize));
    ASSIGN_OR_RETURN(PickleNode * node, Pop());
    memo_[index] = node;
    return Push(node);
  }

  template <typename Index>
  absl::Status MemoizeAt() {
    ASSIGN_OR_RETURN(const Index index, TakeNumber<Index>());
    return Memoize(index);
  }

  template <typename Index>
  absl::Status PushMemoized() {
    ASSIGN_OR_RETURN(const Index index, TakeNumber<Index>());
    const auto found = memo_.find(index);
    if (found == memo_.end()) return Damaged("recalls what it never stored");
    return Push(found->second);
  }

  absl::Status Stop() {
    ASSIGN_OR_RETURN(pickle_.root_, Pop());
    return absl::OkStatus();
  }

  absl::Status Step() {
    ASSIGN_OR_RETURN(const uint8_t operation, TakeNumber<uint8_t>());
    switch (operation) {
      case 0x80:  // PROTO
        return TakeNumber<uint8_t>().status();
      case 0x95:  // FRAME
        return TakeNumber<uint64_t>().status();
      case '.':  // STOP
        return Stop();
      case '(':  // MARK
        marks_.push_back(stack_.size());
        return absl::OkStatus();
      case '0':  // POP
        return Pop().status();
      case 'N':  // NONE
        return PushNew(Kind::kNone);
      case 0x88:  // NEWTRUE
      case 0x89:  // NEWFALSE
        return PushInt(Kind::kBool, operation == 0x88);
      case 'K':  // BININT1
        return PushNumber<uint8_t>();
      case 'M':  // BININT2
        return PushNumber<uint16_t>();
      case 'J':  // BININT
        return PushNumber<int32_t>();
      case 0x8a:  // LONG1
        return PushLong();
      case 'G':  // BINFLOAT
        return PushFloat();
      case 'U':   // SHORT_BINSTRING
      case 'C':   // SHORT_BINBYTES
      case 0x8c:  // SHORT_BINUNICODE
        return PushTextOfLength<uint8_t>();
      case 'T':  // BINSTRING
      case 'B':  // BINBYTES
      case 'X':  // BINUNICODE
        return PushTextOfLength<uint32_t>();
      case ')':  // EMPTY_TUPLE
      case ']':  // EMPTY_LIST
        return PushNew(Kind::kSequence);
      case 't':  // TUPLE
        return PushTupleOfMarked();
      case 0x85:  // TUPLE1
      case 0x86:  // TUPLE2
      case 0x87:  // TUPLE3
        return PushTuple(operation - 0x84);
      case 'a':  // APPEND
        return Append();
      case 'e':  // APPENDS
        return ExtendByMarked(Kind::kSequence);
      case '}':  // EMPTY_DICT
        return PushNew(Kind::kDict);
      case 's':  // SETITEM
        return SetItem();
      case 'u':  // SETITEMS
        return ExtendByMarked(Kind::kDict);
      case 'c':  // GLOBAL
        return PushGlobal();
      case 0x93:  // STACK_GLOBAL
        return PushStackGlobal();
      case 'R':   // REDUCE
      case 0x81:  // NEWOBJ
        return PushCall();
      case 'b':  // BUILD: an object's attributes, of which none matter here
        return Pop().status();
      case 'Q':  // BINPERSID
        return PushPersistentId();
      case 'q':  // BINPUT
        return MemoizeAt<uint8_t>();
      case 'r':  // LONG_BINPUT
        return MemoizeAt<uint32_t>();
      case 0x94:  // MEMOIZE
        return Memoize(memo_.size());
      case 'h':  // BINGET
        return PushMemoized<uint8_t>();
      case 'j':  // LONG_BINGET
        return PushMemoized<uint32_t>();
      default:
        return absl::InvalidArgumentError(
            absl::StrCat("operation ", int{operation}, " is none of plain data"));
    }
  }

  absl::string_view bytes_;
  size_t memory_;  // that may still be taken
  size_t position_ = 0;
  std::vector<PickleNode*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, PickleNode*> memo_;
  Pickle pickle_;
};

absl::StatusOr<Pickle> Pickle::Parse(absl::string_view bytes) { return PickleMachine(bytes).Run(); }

}  // namespace base
