#include "simulator/world.h"

#include <set>
#include <string_view>

namespace cam::simulator {
namespace {

using nlohmann::json;

constexpr std::string_view kCloudflareBase = "/client/v4";
constexpr std::string_view kTelegramBase = "/telegram/bot";

std::string below(const std::string& path, std::string_view base) {
    return path.substr(base.size());
}

}  // namespace

World::World()
    : started_(machine_time()), server_([this](const HttpRequest& request) { return handle(request); }) {}

World::World(const Scenario& scenario) : World() {
    load(scenario);
}

void World::start(std::uint16_t port) {
    {
        const std::lock_guard lock(mutex_);
        faults_.restart(std::chrono::steady_clock::now());
    }
    server_.start(port != 0 ? port : port_);
    port_ = server_.port();
}

void World::stop() {
    server_.stop();
}

std::string World::url() const {
    return "http://127.0.0.1:" + std::to_string(port());
}

std::string World::api_token() const {
    const std::lock_guard lock(mutex_);
    return cloudflare_.settings.api_token;
}

std::string World::account_id() const {
    const std::lock_guard lock(mutex_);
    return cloudflare_.settings.account_ids.empty() ? std::string{}
                                                    : cloudflare_.settings.account_ids.front();
}

std::string World::bot_token() const {
    const std::lock_guard lock(mutex_);
    return telegram_.settings.bot_token;
}

std::int64_t World::chat_id() const {
    const std::lock_guard lock(mutex_);
    return telegram_.settings.chats.empty() ? 0 : telegram_.settings.chats.front().id;
}

json World::client_settings() const {
    return {
        {"cloudflare",
         {{"account_id", account_id()}, {"api_token", api_token()}, {"api_url", cloudflare_url()}}},
        {"telegram",
         {{"bot_token", bot_token()}, {"chat_id", std::to_string(chat_id())}, {"api_url", telegram_url()}}}};
}

void World::load(const Scenario& scenario) {
    const std::lock_guard lock(mutex_);
    cloudflare_.settings = scenario.cloudflare;
    telegram_.settings = scenario.telegram;
    now_ = scenario.now;
    started_ = now_locked();
    for (std::size_t i = 0; i < scenario.events.size(); ++i) {
        cloudflare_.events.add(scenario.events[i], scenario.event_paths[i], started_, now_locked());
    }
    for (const Fault& fault : scenario.faults) faults_.add(fault, std::chrono::steady_clock::now());
}

void World::add_event(const json& event) {
    add_events({event});
}

void World::add_events(const std::vector<json>& events) {
    const std::lock_guard lock(mutex_);
    for (const json& event : events) cloudflare_.events.add(event, "event", started_, now_locked());
}

void World::clear_events() {
    const std::lock_guard lock(mutex_);
    cloudflare_.events.clear();
}

void World::set_prefixes(std::vector<IpPrefix> prefixes) {
    configure_cloudflare([&](CloudflareSettings& settings) { settings.prefixes = std::move(prefixes); });
}

void World::set_limits(const DatasetLimits& limits) {
    configure_cloudflare([&](CloudflareSettings& settings) { settings.limits = limits; });
}

void World::configure_cloudflare(const std::function<void(CloudflareSettings&)>& change) {
    const std::lock_guard lock(mutex_);
    change(cloudflare_.settings);
}

void World::configure_telegram(const std::function<void(TelegramSettings&)>& change) {
    const std::lock_guard lock(mutex_);
    change(telegram_.settings);
}

void World::set_now(std::optional<Moment> now) {
    const std::lock_guard lock(mutex_);
    now_ = now;
}

Moment World::now() const {
    const std::lock_guard lock(mutex_);
    return now_locked();
}

void World::add_fault(const Fault& fault) {
    const std::lock_guard lock(mutex_);
    faults_.add(fault, std::chrono::steady_clock::now());
}

void World::set_faults(const std::vector<Fault>& faults) {
    const std::lock_guard lock(mutex_);
    faults_.clear();
    for (const Fault& fault : faults) faults_.add(fault, std::chrono::steady_clock::now());
}

void World::clear_faults() {
    const std::lock_guard lock(mutex_);
    faults_.clear();
}

std::vector<DeliveredMessage> World::messages() const {
    const std::lock_guard lock(mutex_);
    return telegram_.messages();
}

std::vector<RequestRecord> World::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::vector<RequestRecord> World::requests(Target target) const {
    std::vector<RequestRecord> found;
    const std::lock_guard lock(mutex_);
    for (const RequestRecord& record : requests_) {
        if (record.target == target || target == Target::kAny) found.push_back(record);
    }
    return found;
}

Counters World::counters() const {
    const std::lock_guard lock(mutex_);
    return {.connections = server_.connections_accepted(),
            .requests = requests_.size(),
            .faults = faults_fired_,
            .telegram_accepted = telegram_.messages().size(),
            .telegram_rate_limited = telegram_.rate_limited(),
            .telegram_retry_after_violations = telegram_.violations(),
            .cloudflare_retry_after_violations = cloudflare_violations_};
}

std::size_t World::connections(Target target) const {
    std::set<std::uint64_t> numbers;
    for (const RequestRecord& record : requests(target)) numbers.insert(record.connection);
    return numbers.size();
}

void World::forget() {
    const std::lock_guard lock(mutex_);
    telegram_.clear();
    requests_.clear();
    faults_fired_ = cloudflare_violations_ = 0;
    cloudflare_not_before_.reset();
}

bool World::wait_for_messages(std::size_t count, std::chrono::milliseconds patience) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return telegram_.messages().size() >= count; });
}

bool World::wait_for_requests(Target target, std::size_t count, std::chrono::milliseconds patience) const {
    return wait_until([&](const World& world) { return world.requests(target).size() >= count; }, patience);
}

bool World::wait_until(const std::function<bool(const World&)>& condition,
                       std::chrono::milliseconds patience) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        if (condition(*this)) return true;
        std::unique_lock lock(mutex_);
        if (std::chrono::steady_clock::now() >= until) return false;
        // A condition may also depend on what no request announces, hence the short slices.
        changed_.wait_for(lock, std::chrono::milliseconds{20});
    }
}

HttpResponse World::handle(const HttpRequest& request) {
    if (request.path.starts_with("/sim/")) return answer_control(request);
    RequestRecord record;
    record.connection = request.connection;
    record.method = request.method;
    record.path = request.path;
    if (request.path.starts_with(kCloudflareBase)) {
        record.target = Cloudflare::target(request, below(request.path, kCloudflareBase));
    } else if (request.path.starts_with(kTelegramBase)) {
        record.target = Target::kTelegram;
        record.path = "/telegram" + Telegram::without_token(below(request.path, "/telegram"));
    }
    std::optional<DeliveredMessage> accepted;
    HttpResponse response;
    {
        const std::lock_guard lock(mutex_);
        record.received_at = now_locked();
        const std::size_t before = telegram_.messages().size();
        try {
            response = play(request, record);
        } catch (const std::exception& error) {
            record.error = std::string("the simulator failed: ") + error.what();
            response = {.status = 500, .content_type = "text/plain", .body = record.error};
        }
        const Delivery& how = response.delivery;
        record.status = how.reset || how.hang_up || how.stall_forever ? 0 : response.status;
        if (telegram_.messages().size() > before) accepted = telegram_.messages().back();
        requests_.push_back(std::move(record));
    }
    changed_.notify_all();
    if (accepted && listener_) listener_(*accepted);
    return response;
}

HttpResponse World::play(const HttpRequest& request, RequestRecord& record) {
    const auto tick = std::chrono::steady_clock::now();
    const bool is_cloudflare = record.target != Target::kTelegram;
    if (is_cloudflare && cloudflare_not_before_ && tick < *cloudflare_not_before_) ++cloudflare_violations_;
    const auto fault = faults_.hit(record.target, request, tick);
    if (!fault) return serve(request, record);
    ++faults_fired_;
    record.fault = fault->name();
    if (const auto wait = fault->retry_after()) {
        if (is_cloudflare) cloudflare_not_before_ = tick + *wait;
        if (!is_cloudflare) telegram_.hold(request, *wait, tick);
    }
    return apply(*fault, request, record);
}

HttpResponse World::apply(const Fault& fault, const HttpRequest& request, RequestRecord& record) {
    if (!fault.lets_request_through()) return fault.refuse(record.target);
    HttpResponse response = serve(request, record);
    fault.spoil(response);
    return response;
}

HttpResponse World::serve(const HttpRequest& request, RequestRecord& record) {
    if (request.path.starts_with(kTelegramBase)) {
        return telegram_.answer(request, below(request.path, "/telegram"), now_locked(),
                                std::chrono::steady_clock::now(), record);
    }
    if (request.path.starts_with(kCloudflareBase)) {
        return cloudflare_.answer(request, below(request.path, kCloudflareBase), now_locked(), record);
    }
    record.error = "no such page";
    return {.status = 404,
            .body = R"({"success":false,"errors":[{"code":7003,"message":"no such page"}],"result":null})"};
}

}  // namespace cam::simulator
