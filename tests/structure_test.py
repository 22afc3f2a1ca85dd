#!/usr/bin/python3
"""Checks which folder includes what (the table is explained in docs/architecture.md), and that every
source is named in a CMakeLists.txt: one that is not would never be compiled, nor its tests run.

usage: structure_test.py ROOT        check the tree at ROOT
       structure_test.py --self-test check that each rule catches a planted fault
"""

import pathlib
import re
import sys
import tempfile

# Folder -> folders whose headers it may include, itself apart. `memory/commit_store.h` stands for
# that one header: the cores see the store's port and nothing else of memory/.
ALL = ("base", "resolver", "consensus", "memory", "capnp", "coordinator", "agent", "io", "cli")
MAY_INCLUDE = {
    "base": (),
    "resolver": ("base", "consensus"),
    "consensus": ("base",),
    "capnp": ("base",),
    "memory": ("base", "resolver", "capnp"),
    "coordinator": ("base", "resolver", "consensus", "memory/commit_store.h"),
    "agent": ("base", "resolver", "consensus", "memory/commit_store.h"),
    "io": ("base", "capnp", "memory/commit_store.h"),
    "include": ALL,
    "cli": ALL + ("include",),
}

# The cores and what they stand on do no I/O and read no clock.
PURE = ("base", "resolver", "consensus", "coordinator", "agent")
IMPURE_HEADERS = frozenset(
    "thread mutex shared_mutex condition_variable future stop_token semaphore latch barrier atomic "
    "chrono ctime time.h random iostream fstream filesystem unistd.h fcntl.h pthread.h".split()
)
IMPURE_PREFIXES = ("sys/", "netinet/", "arpa/")

INCLUDE = re.compile(r"^[ \t]*#[ \t]*(?:include|include_next|import)\b[ \t]*(.*)$", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SOURCES = (".h", ".hh", ".hpp", ".cc", ".cpp", ".cxx", ".c", ".inc", ".ipp")


def third_party_fault(folder, path, header):
    """Libraries that have one home. `path` is the including file below its folder."""
    if header.startswith("rocksdb/"):
        if folder != "memory" or not pathlib.PurePath(path).name.startswith("rocksdb_"):
            return "RocksDB belongs to memory/rocksdb_*"
    if header.startswith(("capnp/", "kj/", "waggle_schema/")) and folder != "capnp":
        return "Cap'n Proto and the generated schemas belong to capnp/"
    if header.startswith("zmq") and folder != "io":
        return "ZeroMQ belongs to io/"
    return None


def angle_fault(folder, path, header):
    if folder == "include" and path.startswith("waggle/"):
        if header.startswith("waggle/") or re.fullmatch(r"[a-z_0-9]+", header):
            return None
        return "a public header includes only the standard library and waggle/"
    if header.startswith("waggle/") and folder not in ("include", "cli"):
        return "the public headers stand above this folder"
    if folder in PURE and (header in IMPURE_HEADERS or header.startswith(IMPURE_PREFIXES)):
        return "no thread, clock, random device, stream or file here"
    return third_party_fault(folder, path, header)


def quoted_fault(folder, path, header):
    top = header.split("/")[0]
    if folder == "include" and path.startswith("waggle/"):
        if top == "waggle" and ".." not in header.split("/"):
            return None
        return "a public header includes only the standard library and waggle/"
    if "/" not in header or ".." in header.split("/") or top not in MAY_INCLUDE:
        return 'a project header is written "folder/file.h", any other one <in/angles.h>'
    if top == folder or top in MAY_INCLUDE[folder] or header in MAY_INCLUDE[folder]:
        return None
    return f"{folder}/ may include only: {', '.join((folder,) + MAY_INCLUDE[folder])}"


def faults_in(folder, path, text):
    """Yields (line, header, reason) for one file."""
    # Comments become as many newlines, so that line numbers hold.
    text = COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)
    for match in INCLUDE.finditer(text):
        operand = match.group(1).strip()
        line = text.count("\n", 0, match.start()) + 1
        form = re.match(r'<([^>]+)>|"([^"]+)"', operand)
        if form is None:
            yield line, operand, "an include names its file plainly"
            continue
        check = angle_fault if form.group(1) else quoted_fault
        reason = check(folder, path, form.group(1) or form.group(2))
        if reason:
            yield line, form.group(), reason


def check_tree(root):
    """Returns (number of files read, list of messages)."""
    messages = []
    count = 0
    for folder in MAY_INCLUDE:
        for file in sorted((root / folder).rglob("*")):
            if not file.is_file() or file.suffix not in SOURCES:
                continue
            count += 1
            path = file.relative_to(root / folder).as_posix()
            text = file.read_text(encoding="utf-8", errors="replace")
            for line, header, reason in faults_in(folder, path, text):
                messages.append(f"{folder}/{path}:{line}: {header}: {reason}")
    return count, messages


def unbuilt(root):
    """Yields a message for each source that no CMakeLists.txt of its folder or one above names."""
    for folder in list(MAY_INCLUDE) + ["tests", "bench", "examples"]:
        for file in sorted((root / folder).rglob("*.cc")):
            path = file.relative_to(root)
            if "consumer" in path.parts:  # a project of its own
                continue
            lists = [root / above / "CMakeLists.txt" for above in list(path.parents)[:-1]]
            text = " ".join(each.read_text(encoding="utf-8") for each in lists if each.is_file())
            # By its name, or in a loop by the name of what is made of it.
            names = {file.name, file.stem, file.stem.removesuffix("_test")}
            if names.isdisjoint(re.findall(r"[\w.]+", text)):
                yield f"{path}: no CMakeLists.txt names it, so it is never compiled"


ALLOWED = [
    ("base/a.cc", '#include "base/a.h"\n#include <fmt/format.h>\n#include <vector>'),
    ("resolver/a.cc", '#include "base/a.h"'),
    ("memory/a.cc", '#include "resolver/a.h"\n#include "capnp/codec.h"'),
    ("memory/rocksdb_store.cc", "#include <rocksdb/db.h>"),
    ("capnp/codec.cc", "#include <capnp/serialize.h>\n#include <waggle_schema/wire.capnp.h>"),
    ("coordinator/a.cc", '#include "memory/commit_store.h"\n// #include <thread>'),
    ("agent/a.cc", '/*\n#include <thread>\n*/\n#include "memory/commit_store.h"'),
    ("io/a.cc", "#include <zmq.hpp>\n#include <chrono>\n#include <thread>"),
    ("include/waggle/a.h", '#include <string>\n#include <waggle/b.h>\n#include "waggle/c.h"'),
    ("include/lib/a.cc", '#include "agent/a.h"\n#include "io/a.h"\n#include <waggle/a.h>'),
    ("cli/main.cc", '#include "coordinator/a.h"\n#include <CLI/CLI.hpp>'),
]
PLANTED = [
    ("base/a.h", '#include "resolver/a.h"'),
    ("resolver/a.h", '#include "memory/a.h"'),
    ("consensus/a.h", '#include "resolver/a.h"'),
    ("capnp/a.h", '#include "memory/a.h"'),
    ("memory/a.h", '#include "coordinator/a.h"'),
    ("coordinator/a.h", '#include "agent/a.h"'),
    ("coordinator/b.h", '#include "memory/rocksdb_store.h"'),
    ("agent/a.h", '#include "coordinator/a.h"'),
    ("agent/b.h", '#include "io/a.h"'),
    ("io/a.h", '#include "agent/a.h"'),
    ("memory/a.cc", "#include <rocksdb/db.h>"),
    ("cli/rocksdb_a.cc", "#include <rocksdb/db.h>"),
    ("memory/b.cc", "#include <capnp/message.h>"),
    ("memory/c.cc", "#include <waggle_schema/records.capnp.h>"),
    ("io/b.cc", "#include <kj/common.h>"),
    ("cli/a.cc", "#include <zmq.h>"),
    ("include/lib/a.cc", "#include <zmq.hpp>"),
    ("include/waggle/a.h", "#include <fmt/format.h>"),
    ("include/waggle/b.h", '#include "base/a.h"'),
    ("base/b.h", "#include <waggle/a.h>"),
    ("base/c.h", '#include "a.h"'),
    ("base/d.h", '#include "base/../agent/a.h"'),
    ("base/e.h", "#include HEADER"),
    ("base/deep/f.h", "  #  include   <mutex>"),
] + [
    (f"{folder}/impure_{header}.cc", f"#include <{header}>")
    for folder in PURE
    for header in ("thread", "mutex", "atomic", "chrono", "random", "iostream", "fstream")
]


def self_test():
    def write(root, cases):
        for path, text in cases:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text + "\n", encoding="utf-8")

    failed = []
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        write(root, ALLOWED)
        count, messages = check_tree(root)
        if count != len(ALLOWED):
            failed.append(f"read {count} files of {len(ALLOWED)}")
        failed += [f"refused though allowed: {message}" for message in messages]
        write(root, [("base/CMakeLists.txt", "target_sources(x PRIVATE a.cc)")])
        missed = [message.split(":")[0] for message in unbuilt(root)]
        if "base/a.cc" in missed:
            failed.append("base/a.cc is said to be unbuilt though its CMakeLists.txt names it")
        if "io/a.cc" not in missed:
            failed.append("missed: io/a.cc is named nowhere")
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        write(root, PLANTED)
        caught = {message.split(":")[0] for message in check_tree(root)[1]}
        failed += [f"missed: {path}: {text}" for path, text in PLANTED if path not in caught]
    return failed


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    if arguments[0] == "--self-test":
        messages = self_test()
        summary = f"{len(PLANTED)} planted faults, {len(ALLOWED)} allowed files"
    else:
        root = pathlib.Path(arguments[0])
        if not (root / "CMakeLists.txt").is_file():
            print(f"structure_test: {root} is not the root of the project", file=sys.stderr)
            return 2
        count, messages = check_tree(root)
        messages += unbuilt(root)
        summary = f"{count} files"
    for message in messages:
        print(message)
    print(f"structure_test: {summary}, {len(messages)} faults")
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
