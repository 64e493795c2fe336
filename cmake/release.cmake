# SPDX-License-Identifier: Apache-2.0
# Sets w800_mqtt_at_archive to the archive of this release that was built with the project's options.

set(w800_mqtt_at_wanted ${w800_mqtt_at_options})
# Addresses carry their family then: an archive without it would read them wrongly.
if(CONFIG_LWIP_ENABLE_IPV6)
    list(APPEND w800_mqtt_at_wanted "IPV6=y")
else()
    list(APPEND w800_mqtt_at_wanted "IPV6=n")
endif()

set(w800_mqtt_at_archive "")
set(w800_mqtt_at_others "")
file(GLOB w800_mqtt_at_variants "${w800_mqtt_at_root}/lib/*/options.txt")
foreach(variant ${w800_mqtt_at_variants})
    file(READ "${variant}" w800_mqtt_at_has)
    string(REGEX REPLACE "[ \n]+" ";" w800_mqtt_at_has "${w800_mqtt_at_has}")
    get_filename_component(w800_mqtt_at_folder "${variant}" DIRECTORY)
    get_filename_component(w800_mqtt_at_variant "${w800_mqtt_at_folder}" NAME)
    set(w800_mqtt_at_missing ${w800_mqtt_at_wanted})
    list(REMOVE_ITEM w800_mqtt_at_missing ${w800_mqtt_at_has})
    if(NOT w800_mqtt_at_missing)
        set(w800_mqtt_at_archive "${w800_mqtt_at_folder}/libw800_mqtt_at.a")
        message(STATUS "w800-mqtt-at: ${w800_mqtt_at_variant} of this release")
    endif()
    list(JOIN w800_mqtt_at_missing ", " w800_mqtt_at_missing)
    string(APPEND w800_mqtt_at_others "  ${w800_mqtt_at_variant}: not built with ${w800_mqtt_at_missing}\n")
endforeach()
if(NOT w800_mqtt_at_archive)
    message(FATAL_ERROR
        "w800-mqtt-at: no archive of this release has the project's options:\n${w800_mqtt_at_others}"
        "Change them in menuconfig, or build the library from its source (docs/component.md there).")
endif()
