#include "nas/derived/activation_ranges.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "ATen/ops/amax.h"
#include "ATen/ops/amin.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/full.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/maximum.h"
#include "ATen/ops/minimum.h"
#include "ATen/ops/stack.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "nas/derived/derived_layout.h"
#include "quant/quantizers.h"

namespace nas {
namespace {

constexpr char kSuffix[] = ".activation_range";

struct NamedConv {
  std::string name;
  quant::PrecisionConv2dImpl* conv;
};

// The convolutions with 8-bit activations.
std::vector<NamedConv> ConvsWithRanges(const DerivedNetwork& network) {
  const Architecture& architecture = network.architecture();
  const DerivedLayout layout = LayoutOf(architecture).value();
  std::vector<NamedConv> convs;
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    if (quant::NeedsRange({architecture.bits[i].activation})) {
      convs.push_back({layout.convs[i].name, network.convs()[i]});
    }
  }
  return convs;
}

bool IsRange(const at::Tensor& range) {
  return at::isfinite(range).all().item<bool>() && (range[0] <= range[1]).all().item<bool>();
}

at::Tensor AsRangeOf(const quant::PrecisionConv2dImpl& conv, const at::Tensor& range) {
  const at::Tensor like = conv.parameters().front();
  return range.detach().to(like.options().requires_grad(false)).view({2, -1, 1, 1});
}

}  // namespace

bool HasRanges(const DerivedNetwork& network) { return !ConvsWithRanges(network).empty(); }

bool HasFixedRanges(const DerivedNetwork& network) {
  for (const NamedConv& named : ConvsWithRanges(network)) {
    if (!named.conv->fixed_range().defined()) return false;
  }
  return true;
}

base::TensorMap ActivationRanges(const DerivedNetwork& network) {
  base::TensorMap ranges;
  for (const auto& [name, conv] : ConvsWithRanges(network)) {
    const at::Tensor& range = conv->fixed_range();
    if (range.defined()) ranges.emplace(name + kSuffix, range.view({2, -1}).to(at::kCPU));
  }
  return ranges;
}

bool IsActivationRange(absl::string_view name) { return absl::EndsWith(name, kSuffix); }

absl::Status SetActivationRanges(DerivedNetwork& network, const base::TensorMap& ranges) {
  const std::vector<NamedConv> convs = ConvsWithRanges(network);
  for (const auto& [name, conv] : convs) {
    const auto found = ranges.find(name + kSuffix);
    if (found == ranges.end()) {
      return absl::InvalidArgumentError(absl::StrCat(name, kSuffix, " is missing"));
    }
    const at::Tensor& range = found->second;
    if (range.sizes() != at::IntArrayRef{2, conv->in_channels()}) {
      return absl::InvalidArgumentError(absl::StrCat(name, kSuffix, " has shape [",
                                                     absl::StrJoin(range.sizes(), ", "),
                                                     "], expected [2, ", conv->in_channels(), "]"));
    }
    if (!IsRange(range)) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, kSuffix, " is no range: expected numbers, the lower ones in the first row"));
    }
  }
  for (const auto& [name, conv] : convs) {
    conv->set_fixed_range(AsRangeOf(*conv, ranges.at(name + kSuffix)));
  }
  return absl::OkStatus();
}

RangeCalibration::RangeCalibration(DerivedNetwork& network) : network_(network) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  network_.eval();
  for (const auto& [name, conv] : ConvsWithRanges(network_)) {
    observed_.push_back({name, conv, at::full({conv->in_channels()}, kInfinity, at::kDouble),
                         at::full({conv->in_channels()}, -kInfinity, at::kDouble)});
  }
  for (Observed& observed : observed_) {
    observed.conv->set_observer([&observed](const at::Tensor& x) {
      if (x.size(0) == 0) return;
      const c10::NoGradGuard no_grad;
      const auto merged = [](const at::Tensor& of_batch) {
        return of_batch.to(at::kCPU, at::kDouble);
      };
      observed.low = at::minimum(observed.low, merged(at::amin(x, {0, 2, 3})));
      observed.high = at::maximum(observed.high, merged(at::amax(x, {0, 2, 3})));
    });
  }
}

RangeCalibration::~RangeCalibration() {
  for (const Observed& observed : observed_) observed.conv->set_observer(nullptr);
}

absl::Status RangeCalibration::Finish(distributed::Communicator& communicator) {
  if (observed_.empty()) return absl::OkStatus();
  std::vector<at::Tensor> low, negated_high;
  for (const Observed& observed : observed_) {
    observed.conv->set_observer(nullptr);
    low.push_back(observed.low);
    negated_high.push_back(observed.high.neg());
  }
  ASSIGN_OR_RETURN(const at::Tensor of_ranks,
                   communicator.AllGather(at::stack({at::cat(low), at::cat(negated_high)})));
  const at::Tensor least = at::amin(of_ranks, {0});  // NaN if any rank's is.
  base::TensorMap ranges;
  int64_t first = 0;
  for (const Observed& observed : observed_) {
    const int64_t end = first + observed.conv->in_channels();
    const at::Tensor range =
        at::stack({least[0].slice(0, first, end), least[1].slice(0, first, end).neg()});
    if (!IsRange(range)) {
      return absl::FailedPreconditionError(absl::StrCat(
          observed.name, ": its activations are not finite, or no calibration batch has any"));
    }
    ranges.emplace(observed.name + kSuffix, range);
    first = end;
  }
  return SetActivationRanges(network_, ranges);
}

}  // namespace nas
