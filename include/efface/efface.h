// efface/efface.h -- everything. Begin with efface/store.h.
#pragma once
#include "efface/activity.h"
#include "efface/bytes.h"
#include "efface/file_root_key_store.h"
#include "efface/limits.h"
#include "efface/record.h"
#include "efface/result.h"
#include "efface/root_key_store.h"
#include "efface/stats.h"
#include "efface/store.h"
#include "efface/subject.h"
#include "efface/tenant.h"
#include "efface/types.h"
