include $(sort $(wildcard $(BR2_EXTERNAL_ESP_HOSTED_OTA_PATH)/package/*/*.mk))
