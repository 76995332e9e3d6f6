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
