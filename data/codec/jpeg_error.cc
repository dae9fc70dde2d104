#include "data/codec/jpeg_error.h"

#include <jerror.h>

#include <cstdio>

#include "data/codec/jpeg_markers.h"

namespace data {
namespace {

// Bytes before the end of the image: cameras pad, and so does damage.
bool IsExtraneous(const jpeg_error_mgr& errors) {
  return errors.msg_code == JWRN_EXTRANEOUS_DATA && errors.msg_parm.i[1] == kEndOfImage;
}

// An unknown version of JFIF, or fields that mean something in progressive images only.
bool IsHarmless(const jpeg_error_mgr& errors) {
  return errors.msg_code == JWRN_JFIF_MAJOR || errors.msg_code == JWRN_NOT_SEQUENTIAL;
}

}  // namespace

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
  if (level != kWarning || IsHarmless(*object->err)) return;
  if (!IsExtraneous(*object->err)) OnError(object);
  reinterpret_cast<Context*>(object->err)->extraneous = true;
}

void JpegErrorHandler::Fail(j_common_ptr object, const char* message) {
  Context* context = reinterpret_cast<Context*>(object->err);
  std::snprintf(context->message, sizeof(context->message), "%s", message);
  longjmp(context->jump, 1);
}

absl::Status JpegErrorHandler::Run(absl::FunctionRef<void()> calls) {
  context_.extraneous = false;
  if (setjmp(context_.jump) != 0) return absl::DataLossError(context_.message);
  calls();
  return absl::OkStatus();
}

}  // namespace data
