# The page is part of the program: src/api/page/* and the chart library, each as it is and compressed once, here, so that
# no request ever costs a compression. Each file becomes a constant; a table lists them all, and nothing else is served.
find_program(CAM_GZIP gzip REQUIRED)
set(CAM_DYGRAPHS /usr/share/javascript/dygraphs CACHE PATH "The chart library's folder (Debian: libjs-dygraphs)")
file(GLOB page_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/api/page/*)
foreach(name dygraph.min.js dygraph.css)
    if(NOT EXISTS ${CAM_DYGRAPHS}/${name})
        message(FATAL_ERROR "${CAM_DYGRAPHS}/${name} is missing: install the package libjs-dygraphs, or set CAM_DYGRAPHS")
    endif()
    list(APPEND page_files ${CAM_DYGRAPHS}/${name})
endforeach()

set(page_type_html "text/html; charset=utf-8")
set(page_type_js "text/javascript; charset=utf-8")
set(page_type_css "text/css; charset=utf-8")
set(page_type_svg "image/svg+xml")
set(page_folder ${PROJECT_BINARY_DIR}/generated/page)
set(page_sources)
set(page_constants)
set(page_entries)
foreach(file ${page_files})
    get_filename_component(name ${file} NAME)
    get_filename_component(extension ${file} LAST_EXT)
    string(REPLACE "." "" extension "${extension}")
    if(NOT DEFINED page_type_${extension})
        message(FATAL_ERROR "${file}: the page has no content type for this kind of file; see config/cmake/page.cmake")
    endif()
    string(MAKE_C_IDENTIFIER "kFile_${name}" constant)
    set(source ${page_folder}/${name}.cpp)
    add_custom_command(OUTPUT ${source} VERBATIM
        DEPENDS ${file} ${PROJECT_SOURCE_DIR}/config/cmake/embed_file.cmake
        COMMAND ${CMAKE_COMMAND} -D GZIP=${CAM_GZIP} -D IN=${file} -D OUT=${source} -D NAME=${name}
            -D CONSTANT=${constant} -D "TYPE=${page_type_${extension}}"
            -P ${PROJECT_SOURCE_DIR}/config/cmake/embed_file.cmake)
    list(APPEND page_sources ${source})
    string(APPEND page_constants "extern const PageFile ${constant};\n")
    string(APPEND page_entries "&${constant}, ")
endforeach()
file(CONFIGURE OUTPUT ${page_folder}/page_files.cpp @ONLY CONTENT "#include \"api/page_file.h\"

namespace cam::api {

@page_constants@
std::span<const PageFile* const> page_files() {
    static constexpr const PageFile* kFiles[] = {@page_entries@};
    return kFiles;
}

}  // namespace cam::api
")
target_sources(cam_api PRIVATE ${page_sources} ${page_folder}/page_files.cpp)
