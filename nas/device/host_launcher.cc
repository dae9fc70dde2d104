#include "nas/device/host_launcher.h"

#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include "nas/device/team.h"

namespace nas::device {
namespace {

struct HostTeam {
  int threads;
  bool backwards;

  template <typename Body>
  void ForEach(int count, const Body& body) const {
    for (int t = 0; t < threads; ++t) {
      for (int i = backwards ? threads - 1 - t : t; i < count; i += threads) body(i);
    }
  }
};

}  // namespace

template <typename T>
void HostLauncher::Run(const Kernel<T>& kernel) const {
  std::visit(
      [&](const auto& run) {
        const int64_t blocks = run.blocks();
        for (int64_t i = 0; i < blocks; ++i) {
          // What a team finds there at first is not defined; it must not look at it.
          std::vector<T> shared(kSharedValues, std::numeric_limits<T>::quiet_NaN());
          run.Run(HostTeam{threads_, backwards_}, static_cast<int>(backwards_ ? blocks - 1 - i : i),
                  shared.data());
        }
      },
      kernel);
}

void HostLauncher::Launch(const Kernel<float>& kernel) { Run(kernel); }
void HostLauncher::Launch(const Kernel<double>& kernel) { Run(kernel); }

}  // namespace nas::device
