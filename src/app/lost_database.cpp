#include "app/lost_database.h"

namespace cam::app {
namespace {

constexpr std::chrono::seconds kSendBudget{20};

notify::SendOutcome send(notify::TelegramClient& telegram, const Settings::Telegram& settings,
                         const std::string& text, notify::Markup markup) {
    return telegram.send({.chat_id = settings.chat_id, .thread_id = settings.message_thread_id}, text, markup,
                         kSendBudget / 2, {});
}

}  // namespace

bool send_past_database(const Surroundings& around, const Message& message) {
    auto http = net::CurlHttpClient::create(user_agent());
    if (!http) return false;
    const Settings::Telegram& settings = around.settings.telegram;
    notify::TelegramClient telegram(**http, {.api_url = settings.api_url, .bot_token = settings.bot_token});
    notify::SendOutcome outcome = send(telegram, settings, message.text, notify::Markup::kMarkdown);
    if (outcome.result == notify::SendResult::kBadEntities)
        outcome = send(telegram, settings, message.text, notify::Markup::kPlain);
    if (outcome.result == notify::SendResult::kSent) {
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
