// Loops compiled for several instruction sets, one of which is picked at load time.
//
//   MULTIVERSION void Scale(float* x, int64_t size, float by) { ... }
#ifndef BASE_MULTIVERSION_H_
#define BASE_MULTIVERSION_H_

// ThreadSanitizer's runtime is not up yet when the resolvers of clones run.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define MULTIVERSION __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define MULTIVERSION
#endif

// For what a multiversion function calls: inlined, it is compiled for the same instruction sets.
#define MULTIVERSION_INLINE __attribute__((always_inline)) inline

#endif  // BASE_MULTIVERSION_H_
