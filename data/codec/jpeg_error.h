// libjpeg reports errors by a callback that must not return. This is the one place that jumps.
#ifndef DATA_CODEC_JPEG_ERROR_H_
#define DATA_CODEC_JPEG_ERROR_H_

#include <setjmp.h>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "data/codec/libjpeg.h"

namespace data {

// Must outlive the libjpeg object whose `err` is `manager()`.
class JpegErrorHandler {
 public:
  JpegErrorHandler();
  JpegErrorHandler(const JpegErrorHandler&) = delete;

  jpeg_error_mgr* manager() { return &context_.manager; }

  // Runs libjpeg calls. DataLoss, with libjpeg's words, as soon as one reports an error or a
  // warning that means damage: all but those of oddities that leave every pixel as it was encoded.
  // The rest of `calls` is then skipped without running destructors, so `calls` must have no local
  // object that needs one.
  absl::Status Run(absl::FunctionRef<void()> calls);

  // Whether the last Run met bytes before the end of the image that no decoder looks at. They are
  // all that some damage shows: see EntropyDataAreWhole.
  bool found_extraneous_bytes() const { return context_.extraneous; }

  // Makes Run return DataLoss with `message`; to be called from inside of it.
  [[noreturn]] static void Fail(j_common_ptr object, const char* message);

 private:
  struct Context {
    jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
    bool extraneous;
  };

  [[noreturn]] static void OnError(j_common_ptr object);
  static void OnMessage(j_common_ptr object, int level);

  Context context_;
};

}  // namespace data

#endif  // DATA_CODEC_JPEG_ERROR_H_
