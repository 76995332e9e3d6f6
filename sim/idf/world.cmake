# SPDX-License-Identifier: Apache-2.0
# On the world around the chip: time, events, Wi-Fi, resets.
add_library(sim_idf STATIC
    esp_event.c
    esp_log.c
    esp_mac.c
    esp_misc.c
    esp_system.c
    esp_timer.c
    esp_wifi.c
    update_watch.c
    wifi_scan.c
    wifi_station.c)
target_include_directories(sim_idf PUBLIC include .)
target_link_libraries(sim_idf PUBLIC idf_ota sim_world PRIVATE project_options)
target_link_libraries(idf_ota PUBLIC sim_idf) # esp_restart()

# What the firmware is configured with, as far as it makes a difference here, or else ESP-IDF's default.
set(sdkconfig ${CMAKE_SOURCE_DIR}/esp/network_adapter/sdkconfig.defaults)
set(kconfig ${CMAKE_SOURCE_DIR}/esp/network_adapter/main/Kconfig.projbuild)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sdkconfig} ${kconfig})
foreach(default CONFIG_FREERTOS_HZ=100 CONFIG_SPI_FLASH_ERASE_YIELD_DURATION_MS=20)
    string(REGEX REPLACE "=.*" "" name ${default})
    file(STRINGS ${sdkconfig} configured REGEX "^${name}=")
    if(NOT configured)
        set(configured ${default})
    endif()
    target_compile_definitions(sim_idf PUBLIC ${configured})
endforeach()

# Its own options have their default in Kconfig.
file(READ ${kconfig} text)
string(REGEX MATCH "config HOSTED_RECEIVE_BUFFERS\n[^\n]*\n[^\n]*\n +default ([0-9]+)" found "${text}")
if(NOT found)
    message(FATAL_ERROR "${kconfig}: no default of HOSTED_RECEIVE_BUFFERS")
endif()
target_compile_definitions(sim_idf PUBLIC CONFIG_HOSTED_RECEIVE_BUFFERS=${CMAKE_MATCH_1})
