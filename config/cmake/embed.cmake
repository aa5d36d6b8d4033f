# cmake -D IN=file -D OUT=file.cpp -D HEADER=… -D NAMESPACE=room -D NAME=constant -P embed.cmake: a text file as a constant
# of cam::NAMESPACE. Byte by byte, because compilers bound the length of a string literal.
file(READ "${IN}" hex HEX)
string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
file(WRITE "${OUT}" "#include \"${HEADER}\"\n\nnamespace cam::${NAMESPACE} {\nnamespace {\n\nconstexpr char kBytes[] = {${bytes}};\n\n}  // namespace\n\nconst std::string_view ${NAME}{kBytes, sizeof kBytes};\n\n}  // namespace cam::${NAMESPACE}\n")
