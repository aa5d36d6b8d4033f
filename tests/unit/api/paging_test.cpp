#include "api/paging.h"

#include <gtest/gtest.h>

namespace cam::api {
namespace {

TEST(PagingTest, TheLinkOnIsTheSameRequestEncodedWithTheNewCursor) {
    HttpRequest request;
    request.path = "/events";
    request.query = {{"cursor", "50"}, {"format", "csv"}, {"vector", "SYN Flood&x=<>\"\r\n"}};
    EXPECT_EQ(next_link(request, 9),
              "</events?format=csv&vector=SYN%20Flood%26x%3D%3C%3E%22%0D%0A&cursor=9>; rel=\"next\"");
}

TEST(PagingTest, TheLastPageHasNoCursor) {
    EXPECT_EQ(result_info(std::nullopt).dump(), R"({"next_cursor":null})");
    EXPECT_EQ(result_info(9).dump(), R"({"next_cursor":"9"})");
}

}  // namespace
}  // namespace cam::api
