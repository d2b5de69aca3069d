/*
 * error.h - the numbers of errors.def: results of system calls are -ERROR_...
 */
#ifndef KERNEL_ERROR_H
#define KERNEL_ERROR_H

enum error {
#define ERROR(number, name, text) ERROR_##name = (number),
#include "errors.def"
#undef ERROR
};

#endif
