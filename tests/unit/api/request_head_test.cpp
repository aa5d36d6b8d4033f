#include "api/request_head.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace cam::api {
namespace {

TEST(RequestHeadTest, LetsAnOrdinaryHeadPassUnchanged) {
    const std::string head = "GET /events?limit=1 HTTP/1.1\r\nHost: localhost\r\nX-Empty:\r\n\r\n";
    EXPECT_EQ(clean_head(head), head);
}

TEST(RequestHeadTest, LeavesRangeOutHoweverItIsSpelled) {
    EXPECT_EQ(clean_head("GET / HTTP/1.1\r\nrAnGe: bytes=0-1\r\nHost: a\r\n\r\n"),
              "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(RequestHeadTest, RefusesWhatTwoParsersCouldReadDifferently) {
    const std::vector<std::string> malformed = {
        "GET / HTTP/1.1\nHost: a\r\n\r\n",                        // bare line feed
        "GET / HTTP/1.1\rX: y\r\nHost: a\r\n\r\n",                // bare carriage return
        "GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n",           // blank before the colon
        "GET / HTTP/1.1\r\nHost: a\r\n folded: line\r\n\r\n",     // folded line
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",                     //
        "GET / HTTP/1.1\r\n: no name\r\n\r\n",                    //
        std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30),  // NUL
        "GET / HTTP/1.1\r\n\r\nHost: a\r\n\r\n",                  // goes on after its end
    };
    for (const std::string& head : malformed) EXPECT_FALSE(clean_head(head)) << head;
}

TEST(BodyFrameTest, KnowsNoBodyALengthAndChunks) {
    EXPECT_FALSE(body_frame({}, {})->exists());
    EXPECT_FALSE(body_frame({"0"}, {})->exists());
    EXPECT_EQ(body_frame({"17"}, {})->length, 17U);
    EXPECT_TRUE(body_frame({}, {"Chunked"})->is_chunked);
}

TEST(BodyFrameTest, RefusesFramesThatTwoParsersCouldReadDifferently) {
    EXPECT_EQ(body_frame({"5"}, {"chunked"}).error().status, 400);
    EXPECT_EQ(body_frame({"5", "6"}, {}).error().status, 400);
    EXPECT_EQ(body_frame({"5", "5"}, {}).error().status, 400);
    EXPECT_EQ(body_frame({"-5"}, {}).error().status, 400);
    EXPECT_EQ(body_frame({"+5"}, {}).error().status, 400);
    EXPECT_EQ(body_frame({"5x"}, {}).error().status, 400);
    EXPECT_EQ(body_frame({""}, {}).error().status, 400);
    EXPECT_EQ(body_frame({"99999999999999999999999"}, {}).error().status, 413);
    EXPECT_EQ(body_frame({}, {"gzip, chunked"}).error().status, 501);
    EXPECT_EQ(body_frame({}, {"chunked", "chunked"}).error().status, 501);
}

}  // namespace
}  // namespace cam::api
