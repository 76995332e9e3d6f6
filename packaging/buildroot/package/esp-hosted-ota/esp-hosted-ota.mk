################################################################################
#
# esp-hosted-ota
#
################################################################################

ESP_HOSTED_OTA_VERSION = 0.1.0
# Where your copy of the sources is: this file's own, unless you say another.
ESP_HOSTED_OTA_SITE ?= $(BR2_EXTERNAL_ESP_HOSTED_OTA_PATH)/../..
ESP_HOSTED_OTA_SITE_METHOD = local
ESP_HOSTED_OTA_LICENSE = Apache-2.0
ESP_HOSTED_OTA_LICENSE_FILES = LICENSE
ESP_HOSTED_OTA_INSTALL_STAGING = YES
ESP_HOSTED_OTA_DEPENDENCIES = host-pkgconf cjson openssl protobuf-c
ESP_HOSTED_OTA_CONF_OPTS = -DHOSTED_SIM=OFF

# libcurl is loaded when a URL is given; for the build its headers do.
ifeq ($(BR2_PACKAGE_ESP_HOSTED_OTA_HTTP),y)
ESP_HOSTED_OTA_DEPENDENCIES += libcurl
ESP_HOSTED_OTA_CONF_OPTS += -DHOSTED_HTTP=ON
else
ESP_HOSTED_OTA_CONF_OPTS += -DHOSTED_HTTP=OFF
endif

# The group of the control device: see 60-esp-hosted.rules.
define ESP_HOSTED_OTA_USERS
	- - esp-hosted -1 - - - - the control device of an ESP32
endef

$(eval $(cmake-package))
