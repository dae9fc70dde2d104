/* Packed networks for programs in C, and for whatever speaks C: libnqdarts_runtime.so.
 *
 *   char error[256];
 *   nqdarts_network* network = nqdarts_open("digits.nqn", error, sizeof(error));
 *   nqdarts_info info = nqdarts_describe(network);
 *   float* logits = malloc(info.classes * sizeof(float));
 *   nqdarts_run(network, rgb, 1, logits);
 *   nqdarts_close(network);
 *
 * All but nqdarts_close may be called from several threads at once.
 */
#ifndef QUANT_RUNTIME_C_API_H_
#define QUANT_RUNTIME_C_API_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nqdarts_network nqdarts_network;

typedef struct {
  int32_t height, width; /* Of an image, pixels. */
  int32_t classes;
} nqdarts_info;

/* Null if the file cannot be read; then `error`, of `error_size` bytes, says why in one line. */
nqdarts_network* nqdarts_open(const char* path, char* error, size_t error_size);

/* Null is allowed. */
void nqdarts_close(nqdarts_network* network);

nqdarts_info nqdarts_describe(const nqdarts_network* network);

/* Lives as long as the network; null if there is no such class. */
const char* nqdarts_class_name(const nqdarts_network* network, int32_t index);

/* images: count images [height][width][3], RGB; logits: [count][classes]. 0, or -1 if there is not
 * enough memory. */
int nqdarts_run(const nqdarts_network* network, const uint8_t* images, size_t count, float* logits);

#ifdef __cplusplus
}
#endif

#endif /* QUANT_RUNTIME_C_API_H_ */
