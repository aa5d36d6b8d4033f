#include "cam/aggregate/minute_counter.h"
