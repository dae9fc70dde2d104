#include "nas/derivation/gamma_choices.h"

#include <stdlib.h>

#include <cstdint>
#include <limits>
#include <string>

#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/tensor_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

base::TensorMap Zeros(int64_t normal_cells, int64_t reduction_cells, int64_t candidates) {
  base::TensorMap gammas;
  for (const char* role : {"gamma_activ", "gamma_weight"}) {
    for (const bool reduction : {false, true}) {
      const int64_t cells = reduction ? reduction_cells : normal_cells;
      const std::string name = absl::StrCat(role, reduction ? "_cellr" : "_celln");
      gammas[name] = at::zeros({cells, kCellEdges, kNumGammaRows, candidates});
      gammas[name + "_preprocess0"] = at::zeros({cells, candidates});
      gammas[name + "_preprocess1"] = at::zeros({cells, candidates});
    }
  }
  return gammas;
}

std::string Error(const base::TensorMap& gammas) {
  return std::string(GammaChoices::FromTensors(gammas).status().message());
}

TEST(GammaChoicesTest, TheLargestEntryOfEachRowIsChosen) {
  base::TensorMap gammas = Zeros(6, 2, 3);
  gammas["gamma_activ_celln_preprocess1"][4][2] = 1;
  gammas["gamma_weight_celln_preprocess1"][4][1] = 1;
  gammas["gamma_weight_cellr"][1][13][5][2] = 1e-3;
  gammas["gamma_weight_cellr"][1][13][5][0] = -1;
  const auto choices = GammaChoices::FromTensors(gammas);
  ASSERT_TRUE(choices.ok()) << choices.status();
  EXPECT_EQ(choices->num_candidates(), 3);
  EXPECT_EQ(choices->num_cells(false), 6);
  EXPECT_EQ(choices->num_cells(true), 2);
  EXPECT_EQ(choices->Preprocess(false, 4, 1).activation, 2);
  EXPECT_EQ(choices->Preprocess(false, 4, 1).weight, 1);
  EXPECT_EQ(choices->Preprocess(false, 4, 0).weight, 0) << "of equals the first";
  EXPECT_EQ(choices->Edge(true, 1, 13, 5).weight, 2);
  EXPECT_EQ(choices->Edge(true, 1, 13, 5).activation, 0);
}

TEST(GammaChoicesTest, BadTensorsAreNamed) {
  base::TensorMap gammas = Zeros(6, 2, 2);
  gammas["gamma_weight_celln"][2][0][1][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Error(gammas), absl::StrCat("gamma_weight_celln: element ", 2 * 14 * 6 * 2 + 3,
                                        " is NaN; expected a number"));
  gammas["gamma_weight_celln"] = at::zeros({6, 14, 5, 2});
  EXPECT_EQ(Error(gammas), "gamma_weight_celln: has shape [6, 14, 5, 2]; expected [6, 14, 6, 2]");
  gammas["gamma_weight_celln"] = at::zeros({6, 14, 6, 3});
  EXPECT_EQ(Error(gammas), "gamma_weight_celln: has shape [6, 14, 6, 3]; expected [6, 14, 6, 2]");
  gammas.erase("gamma_weight_celln");
  EXPECT_EQ(Error(gammas), "gamma_weight_celln: is missing");
  gammas["gamma_activ_celln_preprocess0"] = at::zeros({6});
  EXPECT_THAT(Error(gammas), HasSubstr("gamma_activ_celln_preprocess0: has shape [6]; expected"));
  EXPECT_EQ(Error({}), "gamma_activ_celln_preprocess0: is missing");
}

TEST(GammaChoicesTest, FilesAreReadAndNamed) {
  const std::string path = absl::StrCat(getenv("TEST_TMPDIR"), "/gamma_checkpoint.t7");
  ASSERT_TRUE(base::WriteTensorFile(path, Zeros(3, 1, 2)).ok());
  const auto choices = GammaChoices::Read(path);
  ASSERT_TRUE(choices.ok()) << choices.status();
  EXPECT_EQ(choices->num_cells(false), 3);

  const std::string bytes = *base::ReadFile(path);
  ASSERT_TRUE(base::WriteFileAtomically(path, bytes.substr(0, bytes.size() / 2)).ok());
  EXPECT_THAT(std::string(GammaChoices::Read(path).status().message()), HasSubstr(path));
  ASSERT_TRUE(base::WriteTensorFile(path, {{"weight", at::zeros({1})}}).ok());
  EXPECT_THAT(std::string(GammaChoices::Read(path).status().message()),
              HasSubstr("gamma_checkpoint.t7: gamma_activ_celln_preprocess0: is missing"));
}

}  // namespace
}  // namespace nas
