#include "nas/budget/bits_on_budget.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace nas {
namespace {

// Bits of all convolutions that read one tensor.
struct GroupOption {
  std::vector<ConvBits> bits;
  int64_t cost = 0;
  double loss = 0;
};

// Leaves those that no other beats at the same cost or less, by cost.
template <typename Option>
void KeepBest(std::vector<Option>& options) {
  std::sort(options.begin(), options.end(), [](const Option& a, const Option& b) {
    return std::tie(a.cost, a.loss) < std::tie(b.cost, b.loss);
  });
  double best = std::numeric_limits<double>::infinity();
  const auto beaten = [&best](const Option& option) {
    if (option.loss >= best) return true;
    best = option.loss;
    return false;
  };
  options.erase(std::remove_if(options.begin(), options.end(), beaten), options.end());
}

// All that the convolutions of `group` can do with one width of activations.
std::vector<GroupOption> OptionsOfGroup(const std::vector<size_t>& group,
                                        const std::vector<std::vector<BitsOption>>& options) {
  std::vector<GroupOption> all;
  std::vector<int64_t> widths;
  for (const BitsOption& option : options[group.front()]) widths.push_back(option.bits.activation);
  std::sort(widths.begin(), widths.end());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  for (const int64_t width : widths) {
    std::vector<GroupOption> with_width(1);
    for (const size_t conv : group) {
      std::vector<GroupOption> longer;
      for (const GroupOption& before : with_width) {
        for (const BitsOption& option : options[conv]) {
          if (option.bits.activation != width) continue;
          longer.push_back(before);
          longer.back().bits.push_back(option.bits);
          longer.back().cost += option.cost;
          longer.back().loss += option.loss;
        }
      }
      KeepBest(longer);
      with_width = std::move(longer);
    }
    std::move(with_width.begin(), with_width.end(), std::back_inserter(all));
  }
  KeepBest(all);
  return all;
}

// What the first groups together may cost and lose, and by which option of the last of them.
struct State {
  int64_t cost;
  double loss;
  size_t previous;  // State of the groups before.
  size_t option;
};

}  // namespace

absl::StatusOr<std::vector<ConvBits>> BitsOnBudget(
    const std::vector<std::string>& tensors, const std::vector<std::vector<BitsOption>>& options,
    int64_t budget) {
  CHECK_EQ(tensors.size(), options.size());
  std::map<std::string, std::vector<size_t>> by_tensor;
  for (size_t conv = 0; conv < tensors.size(); ++conv) by_tensor[tensors[conv]].push_back(conv);
  std::vector<std::vector<size_t>> groups;
  std::vector<std::vector<GroupOption>> choices;
  int64_t least_left = 0;
  for (auto& [tensor, group] : by_tensor) {
    choices.push_back(OptionsOfGroup(group, options));
    CHECK(!choices.back().empty()) << tensor << ": no width of activations is an option of all";
    least_left += choices.back().front().cost;
    groups.push_back(std::move(group));
  }
  if (least_left > budget) {
    return absl::InvalidArgumentError(
        absl::StrCat("the cheapest bits cost ", least_left, ", more than ", budget));
  }

  std::vector<std::vector<State>> stages = {{{0, 0, 0, 0}}};
  for (const std::vector<GroupOption>& group : choices) {
    least_left -= group.front().cost;
    std::vector<State> stage;
    for (size_t previous = 0; previous < stages.back().size(); ++previous) {
      const State& before = stages.back()[previous];
      for (size_t option = 0; option < group.size(); ++option) {
        const int64_t cost = before.cost + group[option].cost;
        if (cost + least_left > budget) break;  // So do those behind it.
        stage.push_back({cost, before.loss + group[option].loss, previous, option});
      }
    }
    KeepBest(stage);
    stages.push_back(std::move(stage));
  }

  std::vector<ConvBits> bits(tensors.size());
  size_t state = stages.back().size() - 1;  // The dearest, which loses least.
  for (size_t g = groups.size(); g-- > 0;) {
    const State& chosen = stages[g + 1][state];
    const GroupOption& option = choices[g][chosen.option];
    for (size_t i = 0; i < groups[g].size(); ++i) bits[groups[g][i]] = option.bits[i];
    state = chosen.previous;
  }
  return bits;
}

}  // namespace nas
