#ifndef CLINUX_RESULT_H
#define CLINUX_RESULT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>

#include "CLinux.h"

/* The result of a call, with -errno in place of -1. */
#define RESULT(call)                                   \
  ({                                                   \
    __typeof__(call) result_ = (call);                 \
    result_ < 0 ? (__typeof__(call))-errno : result_;  \
  })

/* The result of a call that is made again for as long as a signal interrupts it. */
#define RETRY(call)                                    \
  ({                                                   \
    __typeof__(call) retried_;                         \
    do {                                               \
      retried_ = RESULT(call);                         \
    } while (retried_ == -EINTR);                      \
    retried_;                                          \
  })

#endif
