# sojourn_console_page(<out> <folder>)
#
# Puts console.html, console.css and console.js of <folder> together into one page, and writes a C++ source with it and with
# the policy that allows a browser to run these and nothing else. Sets <out> to that file. It is written when CMake runs,
# which it does anew when one of them changes, so that clang-tidy finds it without a build.
function(sojourn_console_page out folder)
    foreach(kind html css js)
        file(READ ${folder}/console.${kind} ${kind})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/console.${kind})
        # A browser hashes what stands between the tags, the ends of lines included.
        string(SHA256 digest "\n${${kind}}")
        sojourn_base64(${kind}_hash ${digest})
    endforeach()
    set(page "${html}")
    string(REPLACE [[<link rel="stylesheet" href="console.css">]] "<style>\n${css}</style>" page "${page}")
    string(REPLACE [[<script type="module" src="console.js"></script>]] "<script type=\"module\">\n${js}</script>" page "${page}")
    if(NOT page MATCHES "<style>" OR NOT page MATCHES "<script type=\"module\">")
        message(FATAL_ERROR "console.html does not name its style and its script as cmake/console_page.cmake expects")
    endif()
    string(JOIN "; " policy
        "default-src 'none'"
        "script-src 'sha256-${js_hash}'"
        "style-src 'sha256-${css_hash}'"
        "img-src data:" # its icon
        "connect-src 'self'"
        "base-uri 'none'"
        "form-action 'none'"
        "frame-ancestors 'none'"
        "require-trusted-types-for 'script'"
    )
    set(source ${CMAKE_CURRENT_BINARY_DIR}/console_page.cpp)
    configure_file(${folder}/page.cpp.in ${source} @ONLY)
    set(${out} ${source} PARENT_SCOPE)
endfunction()

# Sets <out> to the 32 bytes that <digest> says in hexadecimal, in base64 (RFC 4648, section 4).
function(sojourn_base64 out digest)
    set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
    # Three bytes make four characters. The last three lack one byte, and so their last character says nothing.
    string(REGEX MATCHALL "......" triples ${digest}00)
    set(text "")
    foreach(triple ${triples})
        foreach(shift 18 12 6 0)
            math(EXPR index "(0x${triple} >> ${shift}) & 63")
            string(SUBSTRING ${alphabet} ${index} 1 character)
            string(APPEND text ${character})
        endforeach()
    endforeach()
    string(REGEX REPLACE ".$" "=" text ${text})
    set(${out} ${text} PARENT_SCOPE)
endfunction()
