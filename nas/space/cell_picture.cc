#include "nas/space/cell_picture.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "nas/space/primitives.h"

namespace nas {
namespace {

using base::Picture;

constexpr Picture::Color kBlack = {0, 0, 0}, kGray = {150, 150, 150}, kBlue = {30, 80, 160};

constexpr int kBoxWidth = 110, kBoxHeight = 28, kPitch = 190;  // Of states.
constexpr int kTrack = 26;                                     // The height of an operation's line.
constexpr int kMargin = 12;
constexpr int kThick = 2;

int BoxLeft(int64_t state) { return kMargin + static_cast<int>(state) * kPitch; }

std::string StateName(int64_t state, int64_t output) {
  if (state < 2) return absl::StrCat("input", state);
  return state == output ? "output" : absl::StrCat("node", state);
}

void Frame(Picture& picture, int x, int y) {
  picture.Fill(x, y, kBoxWidth, kBoxHeight, kBlack);
  picture.Fill(x + kThick, y + kThick, kBoxWidth - 2 * kThick, kBoxHeight - 2 * kThick,
               {255, 255, 255});
}

}  // namespace

base::Picture DrawCell(const CellGenotype& cell) {
  const int edges = static_cast<int>(cell.edges.size());
  const int64_t output = 2 + edges / 2;
  const int top = kMargin + kTrack * edges;  // Of the boxes.
  const int bottom = top + kBoxHeight, bus = bottom + kMargin;
  Picture picture(BoxLeft(output) + kBoxWidth + kMargin, bus + kThick + kMargin);

  for (int i = 0; i < edges; ++i) {
    // The two lines into a node stand apart, and so do those that leave it.
    const int64_t from = cell.edges[i].predecessor, to = 2 + i / 2;
    const int start = BoxLeft(from) + kBoxWidth - 8 - 4 * i, end = BoxLeft(to) + 12 + 14 * (i % 2);
    const int y = kMargin + kTrack * (edges - 1 - i) + Picture::kLetterHeight + 2;
    picture.Fill(start, y, kThick, top - y, kGray);
    picture.Fill(end, y, kThick, top - y, kBlue);
    picture.Fill(start, y, end - start + kThick, kThick, kBlue);
    for (int size = 0; size < 6; ++size) {  // The arrow's head.
      picture.Fill(end - size + 1, top - 1 - size, 2 * size, 1, kBlue);
    }
    const auto name = PrimitiveName(cell.edges[i].primitive);
    const int width = static_cast<int>(name.size()) * Picture::kLetterWidth;
    picture.Word(std::max(start + 4, end - width - 4), y - Picture::kLetterHeight - 1, name,
                 kBlack);
  }

  // What is concatenated to the output.
  picture.Fill(BoxLeft(cell.concat.front()) + kBoxWidth / 2, bus,
               BoxLeft(output) - BoxLeft(cell.concat.front()), kThick, kGray);
  picture.Fill(BoxLeft(output) + kBoxWidth / 2, bottom, kThick, bus - bottom + kThick, kGray);
  for (const int64_t state : cell.concat) {
    picture.Fill(BoxLeft(state) + kBoxWidth / 2, bottom, kThick, bus - bottom, kGray);
  }
  for (int64_t state = 0; state <= output; ++state) {
    Frame(picture, BoxLeft(state), top);
    picture.Word(BoxLeft(state) + 8, top + 7, StateName(state, output), kBlack);
  }
  return picture;
}

}  // namespace nas
