# SPDX-License-Identifier: Apache-2.0
# Sets w800_mqtt_at_archive to an archive that cargo builds with the project's options, from the SDK's own headers as
# the project configures them. The build tool runs cargo again when a source, a header or an option has changed.

set(w800_mqtt_at_out "${CMAKE_CURRENT_BINARY_DIR}/w800_mqtt_at")
set(w800_mqtt_at_archive "${w800_mqtt_at_out}/libw800_mqtt_at.a")
set(W800_MQTT_AT_CARGO_DIR "${w800_mqtt_at_out}/cargo" CACHE PATH "Where cargo keeps its objects")

# --- Rust: where it is, and whether it is the version that this library is built with

file(STRINGS "${w800_mqtt_at_root}/scripts/setup/common.sh" w800_mqtt_at_rust REGEX "^RUST_VERSION=")
string(REPLACE "RUST_VERSION=" "" w800_mqtt_at_rust "${w800_mqtt_at_rust}")
set(w800_mqtt_at_instead "or name an archive that is already built in CONFIG_W800_MQTT_AT_PREBUILT")

find_program(W800_MQTT_AT_CARGO cargo HINTS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin")
if(NOT W800_MQTT_AT_CARGO)
    message(FATAL_ERROR
        "w800-mqtt-at: no cargo. Install Rust ${w800_mqtt_at_rust} from https://rustup.rs, ${w800_mqtt_at_instead}.")
endif()
find_program(W800_MQTT_AT_BASH bash REQUIRED)

# Where tools are taken from before the PATH: cargo's folder, and the vendor's compiler where the project names it.
get_filename_component(w800_mqtt_at_tools "${W800_MQTT_AT_CARGO}" DIRECTORY)
if(CONFIG_TOOLCHAIN_PATH)
    string(APPEND w800_mqtt_at_tools ":${CONFIG_TOOLCHAIN_PATH}")
endif()

execute_process(
    COMMAND ${W800_MQTT_AT_BASH} "${w800_mqtt_at_root}/scripts/component/build.sh" "${w800_mqtt_at_tools}" --version
    RESULT_VARIABLE w800_mqtt_at_status
    OUTPUT_VARIABLE w800_mqtt_at_rustc
    ERROR_VARIABLE w800_mqtt_at_error
    OUTPUT_STRIP_TRAILING_WHITESPACE
)
if(NOT w800_mqtt_at_status EQUAL 0)
    message(FATAL_ERROR
        "w800-mqtt-at: cargo is ${W800_MQTT_AT_CARGO}, but it has no Rust ${w800_mqtt_at_rust}. Install that by "
        "`rustup toolchain install ${w800_mqtt_at_rust}`, ${w800_mqtt_at_instead}.\n"
        "${w800_mqtt_at_error}")
endif()
message(STATUS "w800-mqtt-at: ${w800_mqtt_at_rustc}")

# --- The build

# Each option goes on under its own name, so that nothing of the shell's environment counts.
list(TRANSFORM w800_mqtt_at_options PREPEND W800_MQTT_AT_ OUTPUT_VARIABLE w800_mqtt_at_variables)

# The SDK writes this header anew whenever it configures; a copy keeps its time while its text is the same.
set(w800_mqtt_at_config "${w800_mqtt_at_out}/config/wmsdk_config.h")
add_custom_command(
    OUTPUT "${w800_mqtt_at_config}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${w800_mqtt_at_out}/config"
    COMMAND ${CMAKE_COMMAND} -E copy_if_different "${wmsdk_config_dir}/wmsdk_config.h" "${w800_mqtt_at_config}"
    DEPENDS "${wmsdk_config_dir}/wmsdk_config.h"
    COMMENT "w800-mqtt-at: configuration"
    VERBATIM
)
# Cargo's own list of sources, which the archive's DEPFILE is made of, has the library's only.
file(GLOB w800_mqtt_at_rewrite "${w800_mqtt_at_root}/xt804/rewrite/src/*.rs")
add_custom_command(
    OUTPUT "${w800_mqtt_at_archive}"
    COMMAND ${CMAKE_COMMAND} -E env
        --unset=RUSTFLAGS --unset=CARGO_ENCODED_RUSTFLAGS --unset=CARGO_BUILD_TARGET --unset=W800_SIM_CONFIG
        "CARGO_TARGET_DIR=${W800_MQTT_AT_CARGO_DIR}"
        "WM_IOT_SDK_PATH=${SDK_PATH}"
        "WM_IOT_SDK_CONFIG=${w800_mqtt_at_out}/config"
        ${w800_mqtt_at_variables}
        ${W800_MQTT_AT_BASH} "${w800_mqtt_at_root}/scripts/component/build.sh"
        "${w800_mqtt_at_tools}" "${w800_mqtt_at_archive}"
    DEPENDS
        "${w800_mqtt_at_config}"
        "${w800_mqtt_at_root}/Cargo.toml"
        "${w800_mqtt_at_root}/Cargo.lock"
        "${w800_mqtt_at_root}/linker/csky-w800-none-elfabiv2.json"
        "${w800_mqtt_at_root}/scripts/build-target.sh"
        "${w800_mqtt_at_root}/scripts/component/build.sh"
        ${w800_mqtt_at_rewrite}
    DEPFILE "${w800_mqtt_at_archive}.d"
    COMMENT "w800-mqtt-at: cargo"
    USES_TERMINAL
    VERBATIM
)
add_custom_target(w800_mqtt_at_archive DEPENDS "${w800_mqtt_at_archive}")

# register_component() wants the file to be there when it configures: one that is older than any source.
if(NOT EXISTS "${w800_mqtt_at_archive}")
    file(MAKE_DIRECTORY "${w800_mqtt_at_out}")
    execute_process(COMMAND touch -t 197101010000 "${w800_mqtt_at_archive}" COMMAND_ERROR_IS_FATAL ANY)
endif()
