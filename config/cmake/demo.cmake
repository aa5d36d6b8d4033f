# "cmake --build build/demo --target demo", or config/dev demo: the daemon at work against the simulated world.
if(TARGET cam-simulator)
    add_custom_target(demo USES_TERMINAL VERBATIM
        COMMAND ${CMAKE_CURRENT_LIST_DIR}/../demo $<TARGET_FILE:cloudflare-analytics-monitor>
            $<TARGET_FILE:cam-simulator> $<TARGET_FILE:cam-flow-exporter> ${PROJECT_SOURCE_DIR}
        DEPENDS cloudflare-analytics-monitor cam-simulator cam-flow-exporter
        COMMENT "The demo: a simulated Cloudflare, Telegram and router, and the monitor between them")
endif()
