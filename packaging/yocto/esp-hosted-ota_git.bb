# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Firmware update of an ESP32 that runs ESP-Hosted, over its control path"
SECTION = "console/network"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

# Where your copy of the sources is, in local.conf or in a .bbappend; and which commit of it.
ESP_HOSTED_OTA_GIT ?= "git:///usr/src/esp-hosted-ota;protocol=file;branch=main"
SRC_URI = "${ESP_HOSTED_OTA_GIT}"
SRCREV ?= "${AUTOREV}"
PV = "0.1.0+git${SRCPV}"
S = "${WORKDIR}/git"

# protobuf-c and cjson are in meta-oe.
DEPENDS = "cjson openssl protobuf-c"

inherit cmake pkgconfig systemd useradd

# libcurl is loaded when a URL is given, so that no shared object names it.
PACKAGECONFIG ??= "http"
PACKAGECONFIG[http] = "-DHOSTED_HTTP=ON,-DHOSTED_HTTP=OFF,curl,libcurl"

EXTRA_OECMAKE = "\
    -DHOSTED_SIM=OFF \
    -DHOSTED_SYSTEMD_UNIT_DIR=${systemd_system_unitdir} \
"

# It is skipped until /etc/default/esp-hostedd says on which bus.
SYSTEMD_SERVICE:${PN} = "esp-hostedd.service"

# The group of the control device: see 60-esp-hosted.rules.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system esp-hosted"

PACKAGES =+ "libhosted-ota"
FILES:libhosted-ota = "${libdir}/libhosted-ota.so.*"
FILES:${PN} += "\
    ${nonarch_libdir}/NetworkManager \
    ${nonarch_libdir}/sysusers.d \
    ${nonarch_libdir}/tmpfiles.d \
    ${nonarch_libdir}/udev \
"
FILES:${PN}-dev += "${libdir}/cmake"
CONFFILES:${PN} = "${sysconfdir}/default/esp-hostedd"
