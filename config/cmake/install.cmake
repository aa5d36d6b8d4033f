# What an installation holds, and the Debian package made of it (cpack -G DEB).
#
# Configuration, state and units have the fixed places that the contract with the users names (/etc, /var), whatever
# the prefix is; to look at an installation without touching the machine, stage it: DESTDIR=/tmp/stage cmake --install.
get_filename_component(CAM_ROOT ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
set(CAM_GENERATED ${CMAKE_BINARY_DIR}/package)
set(CAM_CONFIG_DIR /etc/cloudflare-analytics-monitor)
set(CAM_STATE_DIR /var/lib/cloudflare-analytics-monitor)
set(CAM_RUN_DIR /run)
set(CAM_LIBEXEC_DIR ${CMAKE_INSTALL_FULL_LIBEXECDIR}/cloudflare-analytics-monitor)

# The three units share user, credentials and sandbox: one file, put into each of them.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CAM_ROOT}/systemd/service-common.conf)
file(READ ${CAM_ROOT}/systemd/service-common.conf CAM_SERVICE_COMMON)
string(CONFIGURE "${CAM_SERVICE_COMMON}" CAM_SERVICE_COMMON @ONLY)
set(CAM_UNITS)
foreach(unit cloudflare-analytics-monitor cloudflare-analytics-monitor-once cloudflare-analytics-monitor-notify)
    configure_file(${CAM_ROOT}/systemd/${unit}.service.in ${CAM_GENERATED}/${unit}.service @ONLY)
    list(APPEND CAM_UNITS ${CAM_GENERATED}/${unit}.service)
endforeach()
configure_file(${CAM_ROOT}/config/cloudflare-analytics-monitor.cron.in
    ${CAM_GENERATED}/cloudflare-analytics-monitor.cron @ONLY)

# Without the time of the build, so that the same source gives the same package.
function(cam_gzip from to)
    add_custom_command(OUTPUT ${CAM_GENERATED}/${to} DEPENDS ${CAM_ROOT}/${from} VERBATIM
        COMMAND gzip -9nc ${CAM_ROOT}/${from} > ${CAM_GENERATED}/${to})
endfunction()
cam_gzip(docs/cloudflare-analytics-monitor.8 cloudflare-analytics-monitor.8.gz)
cam_gzip(config/debian/changelog changelog.gz)
add_custom_target(package_files ALL DEPENDS
    ${CAM_GENERATED}/cloudflare-analytics-monitor.8.gz ${CAM_GENERATED}/changelog.gz)

install(TARGETS cloudflare-analytics-monitor RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS ${CAM_ROOT}/config/watchdog
    DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/cloudflare-analytics-monitor)
# The program under the name of its command `alert`, for crontabs that know a script of that name.
file(RELATIVE_PATH CAM_PROGRAM_FROM_LIBEXEC ${CAM_LIBEXEC_DIR}
    ${CMAKE_INSTALL_FULL_BINDIR}/cloudflare-analytics-monitor)
file(MAKE_DIRECTORY ${CAM_GENERATED})
file(CREATE_LINK ${CAM_PROGRAM_FROM_LIBEXEC} ${CAM_GENERATED}/alert SYMBOLIC)
install(FILES ${CAM_GENERATED}/alert DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/cloudflare-analytics-monitor)
install(FILES ${CAM_UNITS} DESTINATION lib/systemd/system)
install(FILES ${CAM_ROOT}/config/cloudflare-analytics-monitor.sysusers
    DESTINATION lib/sysusers.d RENAME cloudflare-analytics-monitor.conf)
install(FILES ${CAM_ROOT}/config/settings.package.json DESTINATION ${CAM_CONFIG_DIR} RENAME settings.json)
install(FILES ${CAM_GENERATED}/cloudflare-analytics-monitor.cron
    DESTINATION /etc/cron.d RENAME cloudflare-analytics-monitor)
install(FILES ${CAM_ROOT}/config/cloudflare-analytics-monitor.logrotate
    DESTINATION /etc/logrotate.d RENAME cloudflare-analytics-monitor)
install(FILES ${CAM_ROOT}/config/bash-completion/cloudflare-analytics-monitor
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${CAM_GENERATED}/cloudflare-analytics-monitor.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
# The program holds the page's chart library, whose licence asks to be told wherever it goes.
file(READ ${CAM_ROOT}/LICENSE copyright)
set(dygraphs_copyright /usr/share/doc/libjs-dygraphs/copyright)
if(EXISTS ${dygraphs_copyright})
    file(READ ${dygraphs_copyright} theirs)
    string(APPEND copyright "\nThe program holds dygraphs (https://dygraphs.com), of which its package says:\n\n${theirs}")
else()
    string(APPEND copyright "\nThe program holds dygraphs (https://dygraphs.com), under the MIT licence, copyright Dan Vanderkam and contributors.\n")
endif()
file(WRITE ${CAM_GENERATED}/copyright "${copyright}")
install(FILES ${CAM_GENERATED}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CAM_GENERATED}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CAM_ROOT}/config/debian/lintian-overrides
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME cloudflare-analytics-monitor)
install(FILES ${CAM_ROOT}/config/settings.example.json DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
file(GLOB CAM_DOCUMENTS CONFIGURE_DEPENDS ${CAM_ROOT}/README.md ${CAM_ROOT}/docs/*.md)
install(FILES ${CAM_DOCUMENTS} DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The units and the cron file carry the prefix, and a package belongs under /usr.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    return()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cloudflare-analytics-monitor)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "The cloudflare-analytics-monitor authors")
set(CPACK_PACKAGE_CONTACT "The cloudflare-analytics-monitor authors <cloudflare-analytics-monitor@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Telegram alerts on Cloudflare Magic Transit mitigations")
set(CPACK_PACKAGE_DESCRIPTION
"One daemon that polls Cloudflare's analytics for mitigated DDoS events on
the site's own prefixes, adds place and network of each source, and tells a
Telegram chat once per event. An HTTP API, Prometheus metrics and a cron
watchdog are included.")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
# Absolute destinations (/etc) are staged below the package's own root only with DESTDIR.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# procps: /bin/kill of ExecReload=. Makers of the service's user: either of the first two.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers, procps, ca-certificates")
# D-Bus: "systemctl is-active" of an unprivileged user asks systemd over it. geoipupdate lies in Debian's contrib, on
# which a package may not lean harder than with Suggests.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "cron | cron-daemon, logrotate, default-dbus-system-bus | dbus-system-bus")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "geoipupdate, sqlite3, bash-completion")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CAM_ROOT}/config/debian/conffiles ${CAM_ROOT}/config/debian/postinst
    ${CAM_ROOT}/config/debian/prerm ${CAM_ROOT}/config/debian/postrm)
include(CPack)
