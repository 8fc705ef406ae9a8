/*
 * core.h
 *		The headers of core, as the glue includes them.
 *
 * Core calls its growing byte string Buffer, PostgreSQL its page numbers; in
 * this directory core's is CoreBuffer.  Include this before anything else of
 * core's.
 */
#ifndef MLOPS_PG_CORE_H
#define MLOPS_PG_CORE_H

#define Buffer CoreBuffer

#include "../core/algorithm.h"
#include "../core/job.h"
#include "../core/matrix.h"
#include "../core/model/encoder.h"
#include "../core/model/linear_model.h"
#include "../core/model/model.h"
#include "../core/model/reference.h"
#include "../core/model/tree_inspect.h"
#include "../core/ready/ready.h"

#undef Buffer

#endif
