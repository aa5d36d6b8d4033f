# cmake -D IN=file -D OUT=file.cpp -D HEADER=… -D NAMESPACE=room -D NAME=constant -P embed.cmake: a text file as a constant
# of cam::NAMESPACE.
file(READ "${IN}" text)
file(WRITE "${OUT}" "#include \"${HEADER}\"\n\nnamespace cam::${NAMESPACE} {\n\nconst std::string_view ${NAME} = R\"embedded(${text})embedded\";\n\n}  // namespace cam::${NAMESPACE}\n")
