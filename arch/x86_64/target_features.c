/*
 * target_features.c - the types of GDB's target description: how flags and vectors are shown.
 *
 * GDB accepts the names "org.gnu.gdb.i386.*" only with exactly the registers that it knows in them;
 * the system registers have a feature of our own.
 */
#include "target_features.h"

#define FIELD(name, type)     "<field name=\"" name "\" type=\"" type "\"/>"
#define BIT(name, bit)        "<field name=\"" name "\" start=\"" #bit "\" end=\"" #bit "\"/>"
#define PAIR(name, low, high) "<field name=\"" name "\" start=\"" #low "\" end=\"" #high "\"/>"
#define FLAGS(id, size)       "<flags id=\"" id "\" size=\"" #size "\">"
#define VECTOR(id, type, n)   "<vector id=\"" id "\" type=\"" type "\" count=\"" #n "\"/>"

/* clang-format off */
#define EFLAGS_TYPE                                                                     \
    FLAGS("i386_eflags", 4)                                                             \
    BIT("CF", 0) BIT("", 1) BIT("PF", 2) BIT("AF", 4) BIT("ZF", 6) BIT("SF", 7)         \
    BIT("TF", 8) BIT("IF", 9) BIT("DF", 10) BIT("OF", 11) BIT("NT", 14) BIT("RF", 16)   \
    BIT("VM", 17) BIT("AC", 18) BIT("VIF", 19) BIT("VIP", 20) BIT("ID", 21) "</flags>"

#define SSE_TYPES                                                                       \
    VECTOR("v8bf16", "bfloat16", 8) VECTOR("v8h", "ieee_half", 8)                       \
    VECTOR("v4f", "ieee_single", 4) VECTOR("v2d", "ieee_double", 2)                     \
    VECTOR("v16i8", "int8", 16)                                                         \
    VECTOR("v8i16", "int16", 8) VECTOR("v4i32", "int32", 4) VECTOR("v2i64", "int64", 2) \
    "<union id=\"vec128\">"                                                             \
    FIELD("v8_bfloat16", "v8bf16") FIELD("v8_half", "v8h")                              \
    FIELD("v4_float", "v4f") FIELD("v2_double", "v2d")                                  \
    FIELD("v16_int8", "v16i8") FIELD("v8_int16", "v8i16") FIELD("v4_int32", "v4i32")    \
    FIELD("v2_int64", "v2i64") FIELD("uint128", "uint128") "</union>"                   \
    FLAGS("i386_mxcsr", 4)                                                              \
    BIT("IE", 0) BIT("DE", 1) BIT("ZE", 2) BIT("OE", 3) BIT("UE", 4) BIT("PE", 5)       \
    BIT("DAZ", 6) BIT("IM", 7) BIT("DM", 8) BIT("ZM", 9) BIT("OM", 10) BIT("UM", 11)    \
    BIT("PM", 12) BIT("FZ", 15) "</flags>"

/* SDM 3A 2.5, 2.2.1 */
#define SYSTEM_TYPES                                                                    \
    FLAGS("cr0", 8)                                                            \
    BIT("PE", 0) BIT("MP", 1) BIT("EM", 2) BIT("TS", 3) BIT("ET", 4) BIT("NE", 5)       \
    BIT("WP", 16) BIT("AM", 18) BIT("NW", 29) BIT("CD", 30) BIT("PG", 31) "</flags>"    \
    FLAGS("cr4", 8)                                                            \
    BIT("VME", 0) BIT("PVI", 1) BIT("TSD", 2) BIT("DE", 3) BIT("PSE", 4) BIT("PAE", 5)  \
    BIT("MCE", 6) BIT("PGE", 7) BIT("PCE", 8) BIT("OSFXSR", 9) BIT("OSXMMEXCPT", 10)    \
    BIT("UMIP", 11) BIT("LA57", 12) BIT("VMXE", 13) BIT("SMXE", 14) BIT("FSGSBASE", 16) \
    BIT("PCIDE", 17) BIT("OSXSAVE", 18) BIT("SMEP", 20) BIT("SMAP", 21) BIT("PKE", 22)  \
    BIT("CET", 23) "</flags>"                                                           \
    FLAGS("efer", 8)                                                           \
    BIT("SCE", 0) BIT("LME", 8) BIT("LMA", 10) BIT("NXE", 11) "</flags>"

/* SDM 3B 17.2: L0 to G3 enable, the pairs from bit 16 on say what for and how much. */
#define TRAP_TYPES                                                                      \
    FLAGS("dr6", 8)                                                                     \
    BIT("B0", 0) BIT("B1", 1) BIT("B2", 2) BIT("B3", 3) BIT("BD", 13) BIT("BS", 14)     \
    BIT("BT", 15) "</flags>"                                                            \
    FLAGS("dr7", 8)                                                                     \
    BIT("L0", 0) BIT("G0", 1) BIT("L1", 2) BIT("G1", 3) BIT("L2", 4) BIT("G2", 5)       \
    BIT("L3", 6) BIT("G3", 7) BIT("LE", 8) BIT("GE", 9) BIT("GD", 13)                   \
    PAIR("RW0", 16, 17) PAIR("LEN0", 18, 19) PAIR("RW1", 20, 21) PAIR("LEN1", 22, 23)   \
    PAIR("RW2", 24, 25) PAIR("LEN2", 26, 27) PAIR("RW3", 28, 29) PAIR("LEN3", 30, 31)   \
    "</flags>"
/* clang-format on */

const struct gdbstub_feature target_features[FEATURES] = {
    [FEATURE_CORE] = {"org.gnu.gdb.i386.core", EFLAGS_TYPE},
    [FEATURE_SSE] = {"org.gnu.gdb.i386.sse", SSE_TYPES},
    [FEATURE_SEGMENTS] = {"org.gnu.gdb.i386.segments", ""},
    [FEATURE_SYSTEM] = {"org.trapline.system", SYSTEM_TYPES},
    [FEATURE_LINUX] = {"org.gnu.gdb.i386.linux", ""},
    [FEATURE_TRAP] = {"org.trapline.trap", TRAP_TYPES},
};
