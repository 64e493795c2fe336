# SPDX-License-Identifier: Apache-2.0
# Sets w800_mqtt_at_archive to the archive that the project names.
get_filename_component(w800_mqtt_at_archive "${CONFIG_W800_MQTT_AT_PREBUILT}" ABSOLUTE BASE_DIR "${PROJECT_PATH}")
if(NOT EXISTS "${w800_mqtt_at_archive}" OR IS_DIRECTORY "${w800_mqtt_at_archive}")
    message(FATAL_ERROR
        "w800-mqtt-at: CONFIG_W800_MQTT_AT_PREBUILT names ${w800_mqtt_at_archive}, which is no file. "
        "Leave it empty to build the archive by cargo.")
endif()
message(STATUS "w800-mqtt-at: prebuilt ${w800_mqtt_at_archive}")
