#include "app/lost_database.h"

namespace cam::app {
namespace {

using notify::Markup;
using notify::SendOutcome;
using notify::SendResult;

constexpr std::chrono::seconds kSendBudget{10};
constexpr int kMostSends = 4;

/// Sends it as the deliverer would: plain where the markup is refused, to the group's new id, without a topic
/// that is gone. The new id is in the database, which is what cannot be asked here.
SendOutcome send(notify::TelegramClient& telegram, notify::TelegramClient::Target target,
                 const std::string& text) {
    Markup markup = Markup::kMarkdown;
    for (int sends = 1;; ++sends) {
        SendOutcome outcome = telegram.send(target, text, markup, kSendBudget, {});
        if (sends == kMostSends) return outcome;
        if (outcome.result == SendResult::kBadEntities) {
            markup = Markup::kPlain;
        } else if (outcome.result == SendResult::kMigrated && outcome.migrate_to) {
            target.chat_id = std::to_string(*outcome.migrate_to);
        } else if (outcome.result == SendResult::kThreadMissing && target.thread_id) {
            target.thread_id.reset();
        } else {
            return outcome;
        }
    }
}

}  // namespace

bool send_past_database(const Surroundings& around, const Message& message) {
    auto http = net::CurlHttpClient::create(user_agent());
    if (!http) return false;
    const Settings::Telegram& settings = around.settings.telegram;
    notify::TelegramClient telegram(**http, {.api_url = settings.api_url, .bot_token = settings.bot_token});
    const SendOutcome outcome =
        send(telegram, {.chat_id = settings.chat_id, .thread_id = settings.message_thread_id}, message.text);
    if (outcome.result == SendResult::kSent) {
        around.log->info("message delivered past the database telegram_id={}", outcome.message_id);
        return true;
    }
    around.log->error("message past the database not delivered result={} detail={}", name(outcome.result),
                      outcome.detail);
    return false;
}

void tell_lost_database(const Surroundings& around, const Error& why) {
    if (why.code == ErrorCode::kBusy) return;
    around.conditions.raise(Condition::kDatabase,
                            {.state = "unopenable",
                             .headline = "Database cannot be opened: nothing is monitored",
                             .details = {why.detail, "What happens meanwhile is caught up once it can be."},
                             .tell = Tell::kLogAndSoc},
                            nullptr);
    for (const UnqueuedMessage& waiting : around.conditions.take_unqueued()) {
        if (send_past_database(around, waiting.message)) around.conditions.sent(waiting);
    }
}

}  // namespace cam::app
