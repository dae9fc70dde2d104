#include "base/build_id.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace base {
namespace {

size_t AlignTo4(size_t size) { return (size + 3) & ~size_t{3}; }

// dl_iterate_phdr visits the executable first; returning 1 stops it there.
int FindBuildId(dl_phdr_info* info, size_t, void* result) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const char* note = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    const char* const end = note + segment.p_memsz;
    while (note + sizeof(ElfW(Nhdr)) <= end) {
      const auto* header = reinterpret_cast<const ElfW(Nhdr)*>(note);
      const char* name = note + sizeof(*header);
      const char* description = name + AlignTo4(header->n_namesz);
      if (header->n_type == NT_GNU_BUILD_ID && strcmp(name, "GNU") == 0) {
        *static_cast<std::string*>(result) =
            absl::BytesToHexString(absl::string_view(description, header->n_descsz));
        return 1;
      }
      note = description + AlignTo4(header->n_descsz);
    }
  }
  return 1;
}

}  // namespace

std::string BuildId() {
  std::string id = "unknown";
  dl_iterate_phdr(&FindBuildId, &id);
  return id;
}

}  // namespace base
