#include "data/codec/jpeg_error.h"

namespace data {

JpegErrorHandler::JpegErrorHandler() {
  jpeg_std_error(&context_.manager);
  context_.manager.error_exit = &OnError;
  context_.manager.emit_message = &OnMessage;
}

void JpegErrorHandler::OnError(j_common_ptr object) {
  Context* context = reinterpret_cast<Context*>(object->err);
  context->manager.format_message(object, context->message);
  longjmp(context->jump, 1);
}

void JpegErrorHandler::OnMessage(j_common_ptr object, int level) {
  constexpr int kWarning = -1;
  if (level == kWarning) OnError(object);
}

absl::Status JpegErrorHandler::Run(absl::FunctionRef<void()> calls) {
  if (setjmp(context_.jump) != 0) return absl::DataLossError(context_.message);
  calls();
  return absl::OkStatus();
}

}  // namespace data
