// Counts what is allocated; the replaced operators serve the whole test program.

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <random>
#include <vector>

#include "cam/aggregate/minute_counter.h"
#include "fakes/model/flow_records.h"

namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> bytes_in_use{0};

void* take(std::size_t size, std::size_t alignment) {
    void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    ++allocations;
    bytes_in_use += malloc_usable_size(memory);
    return memory;
}

void give_back(void* memory) noexcept {
    if (memory == nullptr) return;
    bytes_in_use -= malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
    return take(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return take(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
    give_back(memory);
}
void operator delete(void* memory) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    give_back(memory);
}

namespace cam::aggregate {
namespace {

using namespace test;

constexpr std::size_t kMiB = std::size_t{1024} * 1024;

/// 10,000 prefixes, and spoofed traffic to all of them.
class AggregateMemoryTest : public testing::Test {
protected:
    AggregateMemoryTest() {
        CountingPlan::Options options;
        for (std::uint32_t i = 0; i < 10'000; ++i) {
            options.prefixes.push_back(Prefix::covering(v4_address(0x0a00'0000 + (i << 8U)), 24));
        }
        plan_ = CountingPlan::compile(options);
    }
    void flood(MinuteCounter& counter, std::size_t datagrams) {
        for (std::size_t i = 0; i < datagrams; ++i) {
            for (FlowRecord& record : records_) {
                record =
                    flow(v4_address(0x0a00'0000 + static_cast<std::uint32_t>(random_() % (10'000 * 256))),
                         {.bytes = random_() % 1'000'000, .packets = random_() % 1'000});
                record.fields.add(FlowField::kSource);
                record.source = v4_address(static_cast<std::uint32_t>(random_()));
            }
            counter.count(ExporterKey{v4_address(static_cast<std::uint32_t>(random_()))}, records_);
        }
    }
    std::mt19937_64 random_{3};
    std::vector<FlowRecord> records_{30, flow(v4_address(0))};
    std::shared_ptr<const CountingPlan> plan_;
};

TEST_F(AggregateMemoryTest, AllocatesNothingWhileCounting) {
    MinuteCounter counter({.seed = 1}, plan_);
    const std::size_t before = allocations;
    flood(counter, 10'000);
    EXPECT_EQ(allocations, before);
    const CountedMinute minute = counter.close(kMinute, plan_);
    EXPECT_EQ(minute.prefixes.size(), 10'000U);
    EXPECT_GT(allocations, before) << "the test sees allocations";
    const std::size_t after = allocations;
    flood(counter, 1'000);
    EXPECT_EQ(allocations, after);
}

TEST_F(AggregateMemoryTest, StaysWithinItsBoundWhateverComes) {
    const std::size_t before = bytes_in_use;
    MinuteCounter counter({.seed = 1}, plan_);
    flood(counter, 10'000);
    const std::size_t open = bytes_in_use - before;
    EXPECT_LT(open, 5 * kMiB);
    EXPECT_GT(open, 4 * kMiB) << "2.4 MB of volumes, 2 MiB of sample";
    {
        const CountedMinute closed = counter.close(kMinute, plan_);
        EXPECT_LT(bytes_in_use - before, open + 5 * kMiB);
    }
    EXPECT_EQ(bytes_in_use - before, open) << "a closed minute leaves nothing behind";
}

TEST_F(AggregateMemoryTest, GivesBackTheSpaceOfALargerPlan) {
    const std::size_t before = bytes_in_use;
    const auto small = CountingPlan::compile({.prefixes = {prefix("10.0.0.0/8")}, .default_sampling = {}});
    MinuteCounter counter({.sample_bytes = 10'000, .seed = 1}, plan_);
    flood(counter, 1'000);
    EXPECT_GT(bytes_in_use - before, 2 * kMiB);
    counter.close(kMinute, small);
    EXPECT_LT(bytes_in_use - before, 600'000U) << "the tables of the small plan remain";
    flood(counter, 10);
    const CountedMinute minute = counter.close(kMinute, small);
    ASSERT_EQ(minute.prefixes.size(), 1U);
    EXPECT_EQ(minute.prefixes[0].all().flows, 300U);
}

}  // namespace
}  // namespace cam::aggregate
