#include "nas/space/cell_picture.h"

#include "gtest/gtest.h"
#include "nas/space/published_genotypes.h"

namespace nas {
namespace {

int64_t DifferentPixels(const base::Picture& a, const base::Picture& b) {
  int64_t different = 0;
  for (int y = 0; y < a.height(); ++y) {
    for (int x = 0; x < a.width(); ++x) different += a.At(x, y) != b.At(x, y);
  }
  return different;
}

TEST(CellPictureTest, EveryPublishedCellHasOneAndEveryChangeShows) {
  for (const std::string& name : PublishedGenotypeNames()) {
    const Genotype genotype = *PublishedGenotype(name);
    for (const CellGenotype& cell : {genotype.normal, genotype.reduce}) {
      const base::Picture picture = DrawCell(cell);
      EXPECT_GT(DifferentPixels(picture, base::Picture(picture.width(), picture.height())), 1000);
      for (size_t i = 0; i < cell.edges.size(); ++i) {
        CellGenotype other = cell;
        other.edges[i].predecessor = cell.edges[i].predecessor == 0;
        EXPECT_GT(DifferentPixels(DrawCell(other), picture), 50) << name << " edge " << i;
        other = cell;
        other.edges[i].primitive =
            cell.edges[i].primitive == Primitive::kNone ? Primitive::kSepConv3x3 : Primitive::kNone;
        EXPECT_GT(DifferentPixels(DrawCell(other), picture), 50) << name << " edge " << i;
      }
    }
  }
}

}  // namespace
}  // namespace nas
