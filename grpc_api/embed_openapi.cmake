# Writes OUTPUT, a source file that holds the text of INPUT as adjacent string literals: some compilers bound the length of
# one, and the compiler joins them.
file(READ "${INPUT}" text)
string(LENGTH "${text}" length)
set(pieces "")
set(position 0)
set(step 8000)
while(position LESS length)
  string(SUBSTRING "${text}" ${position} ${step} piece)
  string(APPEND pieces "R\"TAILRACE(${piece})TAILRACE\"\n")
  math(EXPR position "${position} + ${step}")
endwhile()
file(WRITE "${OUTPUT}" "// Made from docs/openapi.yaml by the build.
#include \"gateway/openapi_document.h\"

namespace tailrace::grpc_api {
namespace {
constexpr char kDocument[] =
${pieces};
}  // namespace

std::string_view OpenApiDocument() { return {kDocument, sizeof(kDocument) - 1}; }

}  // namespace tailrace::grpc_api
")
