# Stands in for the build system of the WM IoT SDK where a component of a project meets it: finds the components among
# the project's folders, runs their CMakeLists.txt, and links what they register as one group of whole archives. It is
# written from what the SDK does, for tests; configurations are made by the test beforehand.

set(SDK_PATH ${CMAKE_CURRENT_LIST_DIR})
set(PROJECT_PATH ${CMAKE_SOURCE_DIR})
set(wmsdk_config_dir ${CMAKE_BINARY_DIR}/config)
set(all_component_libs "" CACHE INTERNAL "")
set(all_component_incs "" CACHE INTERNAL "")
include(${wmsdk_config_dir}/wmsdk_config.cmake)

# As the SDK has it: no flags of cmake's own, and LINK_LIBRARIES is the only way in for a component's. The assembler's
# objects hold nothing but symbols; without the attributes that name a CPU they go with any other's.
set(CMAKE_ASM_COMPILE_OBJECT
    "<CMAKE_ASM_COMPILER> -mcpu=ck804ef -mhard-float -o <OBJECT> <SOURCE>"
    "${CMAKE_OBJCOPY} --remove-section=.csky.attributes <OBJECT>")
set(CMAKE_ASM_CREATE_STATIC_LIBRARY "<CMAKE_AR> rc <TARGET> <OBJECTS>")
set(CMAKE_ASM_LINK_EXECUTABLE
    "bash ${SDK_PATH}/link.sh ${CMAKE_LINKER} <OBJECTS> -Map=firmware.map -o <TARGET> <LINK_LIBRARIES>")

function(is_path_component answer folder)
    get_filename_component(name ${folder} NAME)
    if(IS_DIRECTORY ${folder} AND EXISTS ${folder}/CMakeLists.txt AND NOT name MATCHES "^\\.")
        set(${answer} 1 PARENT_SCOPE)
    else()
        set(${answer} 0 PARENT_SCOPE)
    endif()
endfunction()

function(register_component)
    get_filename_component(folder ${CMAKE_CURRENT_LIST_FILE} DIRECTORY)
    get_filename_component(name ${folder} NAME)
    if(ARGC)
        set(name ${ARGV0})
    endif()
    if(ADD_SRCS)
        add_library(${name} STATIC ${ADD_SRCS})
    else()
        add_library(${name} INTERFACE)
    endif()
    set(libraries "")
    foreach(library ${ADD_STATIC_LIB})
        if(NOT EXISTS ${library})
            message(FATAL_ERROR "no ${library}")
        endif()
        list(APPEND libraries ${library})
    endforeach()
    set(includes "")
    foreach(include ${ADD_INCLUDE})
        get_filename_component(include ${include} ABSOLUTE BASE_DIR ${folder})
        if(NOT IS_DIRECTORY ${include})
            message(FATAL_ERROR "no ${include}")
        endif()
        list(APPEND includes ${include})
    endforeach()
    set(all_component_libs ${libraries} ${name} ${all_component_libs} CACHE INTERNAL "")
    set(all_component_incs ${includes} ${all_component_incs} CACHE INTERNAL "")
endfunction()

macro(build_firmware)
    file(GLOB folders ${PROJECT_PATH}/*)
    foreach(folder ${folders})
        is_path_component(is_component ${folder})
        if(is_component)
            get_filename_component(name ${folder} NAME)
            add_subdirectory(${folder} components/${name})
        endif()
    endforeach()
    file(WRITE ${CMAKE_BINARY_DIR}/empty.s "")
    add_executable(firmware.elf ${CMAKE_BINARY_DIR}/empty.s)
    target_link_libraries(firmware.elf "-Wl,-T,${SDK_PATH}/firmware.ld" "-Wl,--start-group" "-Wl,--whole-archive"
        ${all_component_libs} "-Wl,--no-whole-archive" "-Wl,--end-group")
    file(WRITE ${CMAKE_BINARY_DIR}/includes.txt "${all_component_incs}")
endmacro()
