# cmake -D GZIP=gzip -D IN=file -D OUT=file.cpp -D NAME=… -D CONSTANT=… -D TYPE=… -P embed_file.cmake: a file of the page
# as a constant PageFile of cam::api, as it is and compressed. Without the time of the build, so that the same source
# gives the same program.
execute_process(COMMAND ${GZIP} -9nc ${IN} OUTPUT_FILE ${OUT}.gz COMMAND_ERROR_IS_FATAL ANY)
file(SHA256 ${IN} digest)
string(SUBSTRING ${digest} 0 20 version)
function(bytes_of file out)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," list "${hex}")
    set(${out} "${list}" PARENT_SCOPE)
endfunction()
bytes_of(${IN} plain)
bytes_of(${OUT}.gz compressed)
file(WRITE ${OUT} "#include \"api/page_file.h\"

namespace cam::api {
namespace {

constexpr char kPlain[] = {${plain}};
constexpr char kCompressed[] = {${compressed}};

}  // namespace

extern const PageFile ${CONSTANT};
const PageFile ${CONSTANT}{.name = \"${NAME}\",
                           .content_type = \"${TYPE}\",
                           .version = \"${version}\",
                           .plain = {kPlain, sizeof kPlain},
                           .compressed = {kCompressed, sizeof kCompressed}};

}  // namespace cam::api
")
