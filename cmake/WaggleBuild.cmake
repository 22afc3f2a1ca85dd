# Language level, warnings, sanitizers and compiler cache for every target of the project.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# The inner static libraries end up in libwaggle.so.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# Includes from the root are written "folder/file.h" and found by -iquote. Never -I of the root:
# our capnp/ would shadow <capnp/...> of Cap'n Proto.
add_compile_options("-iquote${PROJECT_SOURCE_DIR}")
include_directories("${PROJECT_SOURCE_DIR}/include")

add_compile_options(-Wall -Wextra -Wshadow "$<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>")
if(WAGGLE_WERROR)
  add_compile_options(-Werror)
  if(WAGGLE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 reports these falsely in instrumented code.
    add_compile_options(-Wno-error=maybe-uninitialized)
  endif()
endif()

if(WAGGLE_SANITIZE)
  add_compile_options("-fsanitize=${WAGGLE_SANITIZE}" -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options("-fsanitize=${WAGGLE_SANITIZE}")
endif()

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(WAGGLE_CCACHE ccache)
  if(WAGGLE_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER "${WAGGLE_CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${WAGGLE_CCACHE}")
  endif()
endif()
