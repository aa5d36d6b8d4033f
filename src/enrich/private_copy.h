#pragma once

#include <string>

#include "cam/base/result.h"
#include "cam/base/unique_fd.h"
#include "enrich/file_signature.h"

namespace cam::enrich {

/// A file opened for reading and the state it was in then.
struct SourceFile {
    UniqueFd fd;
    FileSignature signature;
};

/// Opens a regular file. kNotFound where there is none of that name. Details do not repeat the path.
[[nodiscard]] Result<SourceFile> open_source(const std::string& path);

/// Copies the file into one that has no name, so that nobody else can write to it: in `scratch_folder`, or in
/// anonymous memory where that is empty or its file system has no unnamed files. A full disk is kFull and
/// memory is not used instead: a database is large, and running out of memory is worse. kBusy: the file
/// changed while it was read.
[[nodiscard]] Result<UniqueFd> copy_privately(const SourceFile& source, const std::string& scratch_folder);

}  // namespace cam::enrich
