#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <csignal>

#include <unistd.h>

#include "cam/clickhouse/client.h"
#include "fakes/base/temp_folder.h"
#include "integration/process.h"

namespace cam::test {

/// A modern ClickHouse engine behind chdb_front.mjs, on a free port and in a folder of its own.
class Engine {
public:
    static constexpr const char* kPassword = "eNgInE-0123456789";

    /// The folder whose node_modules hold chdb: CAM_CHDB_DIR, else what parts.py gets; nullopt if it cannot
    /// be had.
    static std::optional<std::string> folder() {
        const auto holds_engine = [](const std::string& path) {
            return std::filesystem::is_directory(path + "/node_modules/chdb");
        };
        if (const char* told = std::getenv("CAM_CHDB_DIR")) {
            return holds_engine(told) ? std::optional<std::string>{told} : std::nullopt;
        }
        const char* other = std::getenv("CAM_PARTS_DIR");
        const std::string parts = other != nullptr ? other : CAM_PARTS_FOLDER;
        if (!holds_engine(parts + "/chdb")) {
            const TempFolder logs;
            std::vector<std::string> environment;  // npm finds its registry there
            for (char** one = environ; *one != nullptr; ++one) environment.emplace_back(*one);
            run({.arguments = {"python3", CAM_SOURCE_DIR "/tests/scale-out/parts.py", "--only", "engine",
                               "--dir", parts},
                 .folder = logs.path(),
                 .environment = environment,
                 .program = "/usr/bin/env"},
                std::chrono::minutes{8});
        }
        return holds_engine(parts + "/chdb") ? std::optional{parts + "/chdb"} : std::nullopt;
    }

    explicit Engine(std::string engine_folder) : engine_folder_(std::move(engine_folder)) { start(); }
    ~Engine() {
        if (process_ != nullptr) stop();
    }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// On the same port and data as before.
    void start() {
        process_ = std::make_unique<Process>(
            Process::Options{.arguments = {"node", CAM_SOURCE_DIR "/tests/scale-out/chdb_front.mjs", "--data",
                                           data_.file("data"), "--port", std::to_string(port_)},
                             .folder = data_.path(),
                             .environment = {"CAM_CHDB_DIR=" + engine_folder_,
                                             std::string{"CHDB_FRONT_PASSWORD="} + kPassword},
                             .program = "/usr/bin/env"});
        const bool listens =
            eventually([this] { return process_->out().find("listening on") != std::string::npos; });
        if (!listens) throw std::runtime_error("the engine does not start: " + process_->err());
        const std::string said = process_->out();
        port_ = static_cast<std::uint16_t>(std::stoi(said.substr(said.rfind(':') + 1)));
    }
    void stop() {
        process_->signal(SIGTERM);
        process_->wait();
        process_.reset();
    }
    void kill() {
        process_->signal(SIGKILL);
        process_->wait();
        process_.reset();
    }
    void pause() { process_->signal(SIGSTOP); }
    void go_on() { process_->signal(SIGCONT); }

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] clickhouse::Client::Options options() const {
        return {.url = url(), .password = Secret{kPassword}};
    }
    [[nodiscard]] std::unique_ptr<clickhouse::Client> client() const {
        auto opened = clickhouse::Client::open(options());
        EXPECT_TRUE(opened);
        return std::move(opened).value();
    }

private:
    std::string engine_folder_;
    TempFolder data_;
    std::uint16_t port_ = 0;
    std::unique_ptr<Process> process_;
};

/// A test with an engine, skipped aloud where there is none; with CAM_SCALE_OUT_REQUIRED it fails instead.
class EngineTest : public testing::Test {
protected:
    void SetUp() override {
        const std::optional<std::string> folder = Engine::folder();
        if (!folder) {
            const char* const required = std::getenv("CAM_SCALE_OUT_REQUIRED");
            if (required != nullptr && std::string{required} == "1") {
                FAIL() << "no ClickHouse engine, and CAM_SCALE_OUT_REQUIRED=1";
            }
            GTEST_SKIP() << "no ClickHouse engine: set CAM_CHDB_DIR to a folder with node_modules/chdb";
        }
        engine = std::make_unique<Engine>(*folder);
        client = engine->client();
    }
    /// The answer, without its last line end; a failure fails the test.
    std::string ask(const std::string& text) {
        Result<std::string> answer = client->run({.text = text});
        if (!answer) {
            ADD_FAILURE() << text << ": " << answer.error().detail;
            return {};
        }
        while (answer->ends_with('\n')) answer->pop_back();
        return *answer;
    }

    std::unique_ptr<Engine> engine;
    std::unique_ptr<clickhouse::Client> client;
};

}  // namespace cam::test
