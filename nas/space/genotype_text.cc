#include "nas/space/genotype_text.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

using Json = nlohmann::ordered_json;

// A genotype nests three deep, and its ranges name a handful of nodes.
constexpr int kMaxDepth = 8;
constexpr int64_t kMaxRange = 64;

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<Json> Parse() {
    RETURN_IF_ERROR(Expect("Genotype"));
    RETURN_IF_ERROR(Expect("("));
    Json object = Json::object();
    while (!Accept(")")) {
      const absl::string_view name = Word();
      if (name.empty()) return Expected("a field name or ')'");
      RETURN_IF_ERROR(Expect("="));
      ASSIGN_OR_RETURN(Json value, Value(0));
      if (!object.emplace(std::string(name), std::move(value)).second) {
        return absl::InvalidArgumentError(absl::StrCat(name, ": is given twice"));
      }
      if (Accept(",")) continue;
      RETURN_IF_ERROR(Expect(")"));
      break;
    }
    SkipSpace();
    if (position_ != text_.size()) return Expected("the end");
    return object;
  }

 private:
  void SkipSpace() {
    while (position_ < text_.size() && absl::ascii_isspace(text_[position_])) ++position_;
  }

  bool Accept(absl::string_view token) {
    SkipSpace();
    if (!absl::StartsWith(text_.substr(position_), token)) return false;
    position_ += token.size();
    return true;
  }

  absl::Status Expected(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "character ", position_ + 1, ": expected ", what, ", found ",
        position_ < text_.size() ? absl::StrCat("'", text_.substr(position_, 1), "'") : "the end"));
  }

  absl::Status Expect(absl::string_view token) {
    if (Accept(token)) return absl::OkStatus();
    return Expected(absl::StrCat("'", token, "'"));
  }

  absl::string_view Word() {
    SkipSpace();
    const size_t begin = position_;
    while (position_ < text_.size() &&
           (absl::ascii_isalnum(text_[position_]) || text_[position_] == '_')) {
      ++position_;
    }
    return text_.substr(begin, position_ - begin);
  }

  absl::StatusOr<int64_t> Integer() {
    SkipSpace();
    const size_t begin = position_;
    const absl::string_view word = Word();
    int64_t value;
    if (absl::SimpleAtoi(word, &value)) return value;
    position_ = begin;
    return Expected("an integer");
  }

  absl::StatusOr<Json> Range() {
    RETURN_IF_ERROR(Expect("("));
    ASSIGN_OR_RETURN(const int64_t first, Integer());
    RETURN_IF_ERROR(Expect(","));
    ASSIGN_OR_RETURN(const int64_t end, Integer());
    if (end - first > kMaxRange) return Expected("a shorter range");
    RETURN_IF_ERROR(Expect(")"));
    Json list = Json::array();
    for (int64_t i = first; i < end; ++i) list.push_back(i);
    return list;
  }

  absl::StatusOr<Json> List(absl::string_view close, int depth) {
    if (depth > kMaxDepth) return Expected("less nesting");
    Json list = Json::array();
    while (!Accept(close)) {
      ASSIGN_OR_RETURN(Json value, Value(depth));
      list.push_back(std::move(value));
      if (Accept(",")) continue;
      RETURN_IF_ERROR(Expect(close));
      break;
    }
    return list;
  }

  absl::StatusOr<Json> String(char quote) {
    const size_t end = text_.find(quote, position_);
    if (end == absl::string_view::npos) return Expected("a closing quote");
    Json string = std::string(text_.substr(position_, end - position_));
    position_ = end + 1;
    return string;
  }

  absl::StatusOr<Json> Value(int depth) {
    if (Accept("[")) return List("]", depth + 1);
    if (Accept("(")) return List(")", depth + 1);
    if (Accept("'")) return String('\'');
    if (Accept("\"")) return String('"');
    if (Accept("range")) return Range();
    const auto integer = Integer();
    if (!integer.ok()) return Expected("an integer, string, list, tuple or range");
    return Json(*integer);
  }

  absl::string_view text_;
  size_t position_ = 0;
};

}  // namespace

absl::StatusOr<Json> GenotypeTextToJson(absl::string_view text) { return Parser(text).Parse(); }

}  // namespace nas
