// A genotype's cell as a picture.
#ifndef NAS_SPACE_CELL_PICTURE_H_
#define NAS_SPACE_CELL_PICTURE_H_

#include "base/picture.h"
#include "nas/space/genotype.h"

namespace nas {

// The states from left to right: both inputs, the nodes, the output. Each operation is a line above
// them with its name, from the state that it reads, which it leaves upwards, down into its node.
base::Picture DrawCell(const CellGenotype& cell);

}  // namespace nas

#endif  // NAS_SPACE_CELL_PICTURE_H_
