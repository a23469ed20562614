# The MCP gateway between a client and servers that are not ours; mcp/README.md says more.
foreach(suite
    admission failures features limits principals resumption session_ends session_ids sessions stateless streams transport vanished
)
    sojourn_node_test("mcp: ${suite}" LABEL mcp TIMEOUT 240 SCRIPT mcp/${suite}_test.mjs)
    set_tests_properties("mcp: ${suite}" PROPERTIES ENVIRONMENT "SOJOURN_MCP_GATEWAY=$<TARGET_FILE:mcp_gateway>")
endforeach()
