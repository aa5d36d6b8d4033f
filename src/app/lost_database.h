#pragma once

#include "app/monitor_parts.h"
#include "cam/model/message.h"

// A database that cannot even be opened: nothing is polled, and nothing can wait in the outbox. What the SOC
// must know goes straight to Telegram then.
namespace cam::app {

/// One attempt without outbox, pacing and lock; true if Telegram took it. Blocks for 20 s at most.
bool send_past_database(const Surroundings& around, const Message& message);

/// Tells the SOC why the database cannot be opened, unless an earlier process has (see Conditions). Another
/// process' lock (kBusy) is nothing to tell. Poller tells when it is written again.
void tell_lost_database(const Surroundings& around, const Error& why);

}  // namespace cam::app
