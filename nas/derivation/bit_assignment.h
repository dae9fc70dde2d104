// The bits of a derived network's convolutions: uniform, or as a search chose them.
#ifndef NAS_DERIVATION_BIT_ASSIGNMENT_H_
#define NAS_DERIVATION_BIT_ASSIGNMENT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nas/derivation/gamma_choices.h"
#include "nas/derived/derived_layout.h"

namespace nas {

// Which searched cell a cell of a network, deeper as a rule, takes its bits from. Normal and
// reduction cells are counted apart.
enum class DepthRule {
  // The published code's: the k-th cell takes the k-th row, but row 0 if it is a normal cell behind
  // cell 6 or a reduction cell behind cell 9.
  kPublished,
  // The k-th of K cells takes the row of the searched cell at the same relative depth,
  // floor((k + 1/2) rows / K).
  kProportional,
};

// "published" or "proportional".
absl::StatusOr<DepthRule> ParseDepthRule(absl::string_view name);

struct BitAssignmentOptions {
  std::vector<int64_t> candidates = {2, 4};  // As they were searched: gamma's last dimension.
  DepthRule rule = DepthRule::kPublished;
  // Of what no search had gammas for: sep_conv_7x7, conv_7x1_1x7, edges of nodes beyond the fourth,
  // and a quantized stem. The largest candidate if not given.
  std::optional<ConvBits> default_bits = {};
};

// The bits of `layout.convs`, one by one. InvalidArgument if the numbers of candidates disagree, if
// a candidate is not supported, or if the published rule wants a cell that was not searched.
absl::StatusOr<std::vector<ConvBits>> AssignBits(const GammaChoices& choices,
                                                 const DerivedLayout& layout,
                                                 const BitAssignmentOptions& options);

}  // namespace nas

#endif  // NAS_DERIVATION_BIT_ASSIGNMENT_H_
