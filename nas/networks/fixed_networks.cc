#include "nas/networks/fixed_networks.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace nas {
namespace {

constexpr absl::string_view kEdmips = "edmips_";

// A convolution with what belongs to it in either family.
struct Unit {
  std::string name;
  int64_t channels;
  std::array<int64_t, 2> kernel = {1, 1};
  int64_t stride = 1;
  bool padded = true;  // So that stride 1 keeps the size.
};

struct Branch {
  std::vector<Unit> units;
  std::vector<Unit> fork = {};  // Both on what the units give, concatenated.
  std::optional<LayerKind> pool = {};
  Window pool_window = Window::Square(3, 1, 1);
};

Window WindowOf(const Unit& unit) {
  const auto [h, w] = unit.kernel;
  return {.kernel = unit.kernel,
          .stride = {unit.stride, unit.stride},
          .padding = unit.padded ? std::array{h / 2, w / 2} : std::array<int64_t, 2>{0, 0}};
}

class Describer {
 public:
  Describer(bool edmips, int64_t classes, bool auxiliary)
      : edmips_(edmips), classes_(classes), auxiliary_(auxiliary && !edmips) {}

  // The numbers of blocks of the four stages.
  NetworkGraph ResNet(const std::array<int, 4>& blocks, bool bottleneck) {
    NodeId x = graph_.Conv(NetworkGraph::kImages, "conv1", 64, Window::Square(7, 2, 3));
    const Window pool = Window::Square(3, 2, 1);
    x = edmips_ ? Norm(MaxPool(x, pool), "bn1") : MaxPool(graph_.Relu(Norm(x, "bn1")), pool);
    for (int stage = 0; stage < 4; ++stage) {
      for (int block = 0; block < blocks[stage]; ++block) {
        x = ResidualBlock(x, absl::StrCat("layer", stage + 1, ".", block), 64 << stage,
                          block == 0 && stage > 0 ? 2 : 1, bottleneck);
      }
    }
    return Classified(edmips_ ? graph_.Relu(x) : x);
  }

  NetworkGraph GoogLeNet() {
    eps_ = 1e-3;
    const Window halving = {.kernel = {3, 3}, .stride = {2, 2}, .ceil_mode = true};
    NodeId x = MaxPool(Stem("conv1", 64, Window::Square(7, 2, 3)), halving);
    x = Next(x, "conv2", {"", 64});
    x = MaxPool(Next(x, "conv3", {"", 192, {3, 3}}), halving);
    struct Block {
      const char* name;
      int64_t n1, r3, n3, r5, n5, np;
    };
    NodeId of_aux1 = 0, of_aux2 = 0;
    for (const Block& b : {Block{"3a", 64, 96, 128, 16, 32, 32},
                           {"3b", 128, 128, 192, 32, 96, 64},
                           {"4a", 192, 96, 208, 16, 48, 64},
                           {"4b", 160, 112, 224, 24, 64, 64},
                           {"4c", 128, 128, 256, 24, 64, 64},
                           {"4d", 112, 144, 288, 32, 64, 64},
                           {"4e", 256, 160, 320, 32, 128, 128},
                           {"5a", 256, 160, 320, 32, 128, 128},
                           {"5b", 384, 192, 384, 48, 128, 128}}) {
      const std::string name = b.name;
      if (name == "4a") x = MaxPool(x, halving);
      if (name == "5a") x = MaxPool(x, {.kernel = {2, 2}, .stride = {2, 2}, .ceil_mode = true});
      // torchvision's "5x5" is a 3x3.
      const int64_t wide = edmips_ ? 5 : 3;
      x = InceptionBlock(
          x, absl::StrCat("inception", name),
          {{{{"branch1", b.n1}}},
           {{{Numbered("branch2", 0), b.r3}, {Numbered("branch2", 1), b.n3, {3, 3}}}},
           {{{Numbered("branch3", 0), b.r5}, {Numbered("branch3", 1), b.n5, {wide, wide}}}},
           {.units = {{edmips_ ? "branch4" : "branch4.1", b.np}}, .pool = LayerKind::kMaxPool}});
      if (name == "4a") of_aux1 = x;
      if (name == "4d") of_aux2 = x;
    }
    if (edmips_) x = graph_.Relu(Norm(x, "inception5b_bn"));
    std::vector<NodeId> heads;
    for (const auto& [of, name] : {std::pair{of_aux1, "aux1"}, {of_aux2, "aux2"}}) {
      if (!auxiliary_) break;
      graph_.set_auxiliary(true);
      NodeId y = Stem(absl::StrCat(name, ".conv"), 128, {}, graph_.AdaptiveAverage(of, 4));
      y = graph_.Relu(graph_.Linear(y, absl::StrCat(name, ".fc1"), 1024));
      heads.push_back(graph_.Linear(y, absl::StrCat(name, ".fc2"), classes_));
      graph_.set_auxiliary(false);
    }
    return Classified(x, {heads.rbegin(), heads.rend()});
  }

  NetworkGraph InceptionV3() {
    eps_ = 1e-3;
    const Window halving = Window::Square(3, 2);
    NodeId x = Stem("Conv2d_1a_3x3", 32, halving);
    x = Next(x, "Conv2d_2a_3x3", {"", 32, {3, 3}, 1, false});
    x = MaxPool(Next(x, "Conv2d_2b_3x3", {"", 64, {3, 3}}), halving);
    x = Next(x, "Conv2d_3b_1x1", {"", 80});
    x = MaxPool(Next(x, "Conv2d_4a_3x3", {"", 192, {3, 3}, 1, false}), halving);
    const auto pooled = [](int64_t channels) {
      return Branch{.units = {{"branch_pool", channels}}, .pool = LayerKind::kAveragePool};
    };
    const Branch reduced = {
        .units = {}, .pool = LayerKind::kMaxPool, .pool_window = Window::Square(3, 2)};
    const auto tower = [](const std::string& name, int64_t first, int64_t second, int64_t stride) {
      return Branch{.units = {{name + "_1", first},
                              {name + "_2", second, {3, 3}},
                              {name + "_3", second, {3, 3}, stride, stride == 1}}};
    };
    for (const auto& [name, channels] :
         {std::pair{"Mixed_5b", 32}, {"Mixed_5c", 64}, {"Mixed_5d", 64}}) {
      x = InceptionBlock(x, name,
                         {{{{"branch1x1", 64}}},
                          {{{"branch5x5_1", 48}, {"branch5x5_2", 64, {5, 5}}}},
                          tower("branch3x3dbl", 64, 96, 1),
                          pooled(channels)});
    }
    x = InceptionBlock(
        x, "Mixed_6a",
        {{{{"branch3x3", 384, {3, 3}, 2, false}}}, tower("branch3x3dbl", 64, 96, 2), reduced});
    for (const auto& [name, c] : {std::pair<const char*, int64_t>{"Mixed_6b", 128},
                                  {"Mixed_6c", 160},
                                  {"Mixed_6d", 160},
                                  {"Mixed_6e", 192}}) {
      x = InceptionBlock(
          x, name,
          {{{{"branch1x1", 192}}},
           {{{"branch7x7_1", c}, {"branch7x7_2", c, {1, 7}}, {"branch7x7_3", 192, {7, 1}}}},
           {{{"branch7x7dbl_1", c},
             {"branch7x7dbl_2", c, {7, 1}},
             {"branch7x7dbl_3", c, {1, 7}},
             {"branch7x7dbl_4", c, {7, 1}},
             {"branch7x7dbl_5", 192, {1, 7}}}},
           pooled(192)});
    }
    std::vector<NodeId> heads;
    if (auxiliary_) {
      graph_.set_auxiliary(true);
      NodeId y = graph_.Pool(LayerKind::kAveragePool, x, Window::Square(5, 3));
      y = Stem("AuxLogits.conv0", 128, {}, y);
      y = Stem("AuxLogits.conv1", 768, Window::Square(5), y);
      heads.push_back(graph_.Linear(graph_.AdaptiveAverage(y, 1), "AuxLogits.fc", classes_));
      graph_.set_auxiliary(false);
    }
    x = InceptionBlock(x, "Mixed_7a",
                       {{{{"branch3x3_1", 192}, {"branch3x3_2", 320, {3, 3}, 2, false}}},
                        {{{"branch7x7x3_1", 192},
                          {"branch7x7x3_2", 192, {1, 7}},
                          {"branch7x7x3_3", 192, {7, 1}},
                          {"branch7x7x3_4", 192, {3, 3}, 2, false}}},
                        reduced});
    for (const char* name : {"Mixed_7b", "Mixed_7c"}) {
      x = InceptionBlock(
          x, name,
          {{{{"branch1x1", 320}}},
           {{{"branch3x3_1", 384}}, {{"branch3x3_2a", 384, {1, 3}}, {"branch3x3_2b", 384, {3, 1}}}},
           {{{"branch3x3dbl_1", 448}, {"branch3x3dbl_2", 384, {3, 3}}},
            {{"branch3x3dbl_3a", 384, {1, 3}}, {"branch3x3dbl_3b", 384, {3, 1}}}},
           pooled(192)});
    }
    return Classified(edmips_ ? graph_.Relu(Norm(x, "Mixed_7c_bn")) : x, heads);
  }

 private:
  NodeId Norm(NodeId x, const std::string& path) { return graph_.BatchNorm(x, path, eps_); }
  NodeId MaxPool(NodeId x, const Window& window) {
    return graph_.Pool(LayerKind::kMaxPool, x, window);
  }
  NodeId Quantized(NodeId x, const std::string& path, const Unit& unit) {
    return graph_.Conv(x, path, unit.channels, WindowOf(unit),
                       edmips_ ? ConvRole::kQuantizedRectifier : ConvRole::kQuantized);
  }
  // A convolution in float.
  NodeId Stem(const std::string& path, int64_t channels, const Window& window,
              NodeId x = NetworkGraph::kImages) {
    if (edmips_) return graph_.Conv(x, path, channels, window);
    return Normalized(graph_.Conv(x, path + ".conv", channels, window), path);
  }
  // Behind torchvision's convolutions.
  NodeId Normalized(NodeId x, const std::string& path) {
    return graph_.Relu(Norm(x, path + ".bn"));
  }
  // A convolution on what is normalized already.
  NodeId First(NodeId x, const std::string& path, const Unit& unit) {
    if (edmips_) return Quantized(x, path, unit);
    return Normalized(Quantized(x, path + ".conv", unit), path);
  }
  // One on what another has put out.
  NodeId Next(NodeId x, const std::string& path, const Unit& unit) {
    if (edmips_) return Quantized(Norm(x, path + ".bn"), path + ".conv", unit);
    return First(x, path, unit);
  }
  std::string Numbered(const std::string& branch, int unit) const {
    return edmips_ ? absl::StrCat(branch, "_", unit + 1) : absl::StrCat(branch, ".", unit);
  }

  NodeId ResidualBlock(NodeId x, const std::string& path, int64_t planes, int64_t stride,
                       bool bottleneck) {
    const std::array<int64_t, 2> three = {3, 3};
    const std::vector<Unit> units =
        bottleneck
            ? std::vector<Unit>{{"1", planes}, {"2", planes, three, stride}, {"3", 4 * planes}}
            : std::vector<Unit>{{"1", planes, three, stride}, {"2", planes, three}};
    const int64_t channels = units.back().channels;
    const NodeId h = edmips_ ? Norm(x, path + ".bn0") : x;
    NodeId y = h;
    for (const Unit& unit : units) {
      if (!edmips_ && y != h) y = graph_.Relu(y);
      y = Quantized(y, absl::StrCat(path, ".conv", unit.name), unit);
      y = Norm(y, absl::StrCat(path, ".bn", unit.name));
    }
    NodeId shortcut = x;
    if (stride != 1 || graph_.channels(x) != channels) {
      shortcut = Quantized(h, path + ".downsample.0", {"", channels, {1, 1}, stride});
      shortcut = Norm(shortcut, path + ".downsample.1");
    }
    y = graph_.Add(y, shortcut, path);
    return edmips_ ? y : graph_.Relu(y);
  }

  // EdMIPS: the branches read a normalization of `x`, pools `x` itself.
  NodeId InceptionBlock(NodeId x, const std::string& path, const std::vector<Branch>& branches) {
    const NodeId h = edmips_ ? Norm(x, path + ".bn") : x;
    const auto of = [&path](const Unit& unit) { return absl::StrCat(path, ".", unit.name); };
    std::vector<NodeId> outputs;
    for (const Branch& branch : branches) {
      NodeId y = branch.pool ? graph_.Pool(*branch.pool, x, branch.pool_window) : h;
      for (const Unit& unit : branch.units)
        y = (y == h ? First(y, of(unit), unit) : Next(y, of(unit), unit));
      if (branch.fork.empty()) {
        outputs.push_back(y);
        continue;
      }
      const std::string& before = branch.units.front().name;  // "branch3x3_1"
      if (edmips_) y = Norm(y, absl::StrCat(path, ".", before.substr(0, before.rfind('_')), "_bn"));
      for (const Unit& unit : branch.fork) outputs.push_back(First(y, of(unit), unit));
    }
    return graph_.Concat(std::move(outputs), path);
  }

  NetworkGraph Classified(NodeId x, const std::vector<NodeId>& heads = {}) {
    graph_.AddOutput(graph_.Linear(graph_.AdaptiveAverage(x, 1), kFixedClassifier, classes_));
    for (const NodeId head : heads) graph_.AddOutput(head);
    return std::move(graph_);
  }

  const bool edmips_;
  const int64_t classes_;
  const bool auxiliary_;
  double eps_ = 1e-5;
  NetworkGraph graph_;
};

}  // namespace

const std::vector<std::string>& FixedNetworkNames() {
  static const auto& names = *new std::vector<std::string>{
      "edmips_resnet18", "edmips_resnet50", "edmips_googlenet", "edmips_inception_v3",
      "resnet18",        "resnet50",        "googlenet",        "inception_v3"};
  return names;
}

bool IsTorchvisionNetwork(absl::string_view name) { return !absl::StartsWith(name, kEdmips); }

int64_t PublishedImageSide(absl::string_view name) {
  return absl::EndsWith(name, "inception_v3") ? 299 : 224;
}

std::vector<ConvBits> PublishedBits(absl::string_view name) {
  struct Digits {
    const char* network;
    absl::string_view activation, weight;
  };
  constexpr Digits kDigits[] = {
      {"edmips_resnet18", "2222224223332233322", "1111324213242132422"},
      {"edmips_resnet50", "4334223222223332232332323333233233232222223333333333",
       "4113111111113111111111132321121121111111113232123324"},
      {"edmips_googlenet", "42432323322323332334332323322323322323322323333334332324",
       "41431434311311341434331423311423311413311413442434443434"},
      {"edmips_inception_v3",
       "4342443432343233234323323232243322222233322222223322232222332222222232222224433432333333222"
       "23",
       "1141431311144111114423113131141121111114122111113411111111341121111131111114433411343344313"
       "34"},
  };
  std::vector<ConvBits> bits;
  for (const Digits& digits : kDigits) {
    if (name != digits.network) continue;
    for (size_t i = 0; i < digits.activation.size(); ++i) {
      bits.push_back({digits.activation[i] - '0', digits.weight[i] - '0'});
    }
  }
  return bits;
}

absl::StatusOr<NetworkGraph> FixedNetworkGraph(absl::string_view name, int64_t classes,
                                               bool auxiliary) {
  Describer describer(!IsTorchvisionNetwork(name), classes, auxiliary);
  const absl::string_view topology = absl::StripPrefix(name, kEdmips);
  const std::vector<std::string>& names = FixedNetworkNames();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is none of ", absl::StrJoin(names, ", ")));
  }
  if (topology == "resnet18") return describer.ResNet({2, 2, 2, 2}, /*bottleneck=*/false);
  if (topology == "resnet50") return describer.ResNet({3, 4, 6, 3}, /*bottleneck=*/true);
  return topology == "googlenet" ? describer.GoogLeNet() : describer.InceptionV3();
}

}  // namespace nas
