/*
 * target_features.h - the features of GDB's target description, which registers.def names.
 */
#ifndef ARCH_X86_64_TARGET_FEATURES_H
#define ARCH_X86_64_TARGET_FEATURES_H

#include "gdbstub/gdbstub.h"

enum feature {
    FEATURE_CORE,
    FEATURE_SSE,
    FEATURE_SEGMENTS,
    FEATURE_SYSTEM,
    FEATURE_LINUX,
    FEATURE_TRAP,
    FEATURES,
};

extern const struct gdbstub_feature target_features[FEATURES];

#endif
