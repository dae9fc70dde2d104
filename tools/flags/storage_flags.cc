#include "tools/flags/storage_flags.h"

#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "base/status_macros.h"
#include "data/remote/aws_settings.h"
#include "data/remote/remote_store.h"
#include "distributed/training/stop_signal.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_values.h"

DEFINE_double(io_timeout, 240,
              "Seconds that a server of images is asked again before a run gives up.");
FLAG_RANGE(io_timeout, tools::FromTo(1, 1e6));
DEFINE_int32(io_depth, 16, "Reads of a server that a rank has under way at a time.");
FLAG_RANGE(io_depth, tools::FromTo(1, 1024));
DEFINE_double(
    run_memory, 1,
    "GB of images that a rank holds of what comes next with --order=quasi_random, read 32 "
    "at a time, where there is no cache; 0: they are read one by one.");
FLAG_RANGE(run_memory, tools::FromTo(0, 1e6));
DEFINE_string(cache_dir, "",
              "Folder on a disk of this node that keeps what was downloaded, for all ranks and "
              "runs; none if empty.");
DEFINE_double(cache_size, 100, "--cache_dir: GB it may hold; what was not used for longest goes.");
FLAG_RANGE(cache_size, tools::AboveTo(0, 1e9));

namespace tools {

absl::StatusOr<std::shared_ptr<data::ByteStore>> StoreFromFlags(const std::string& location) {
  if (!data::IsRemote(location)) return nullptr;
  data::RemoteOptions options;
  options.http.timeout = absl::Seconds(FLAGS_io_timeout);
  options.http.depth = FLAGS_io_depth;
  options.http.certificates = data::ProcessEnvironment("SSL_CERT_FILE");
  options.http.give_up = &distributed::StopSignal::Received;
  options.http.notice = [](const std::string& line) { LOG(WARNING) << line; };
  options.run_bytes = static_cast<uint64_t>(FLAGS_run_memory * 1e9);
  options.cache_folder = FLAGS_cache_dir;
  options.cache_bytes = static_cast<uint64_t>(FLAGS_cache_size * 1e9);
  ASSIGN_OR_RETURN(auto store, ValueOfFlag("cache_dir", data::RemoteStore::Create(options)));
  return std::shared_ptr<data::ByteStore>(std::move(store));
}

}  // namespace tools
