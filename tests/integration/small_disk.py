"""A small file system of its own for a test, which can be filled and freed.

It is mounted in a mount namespace of the test process, so it is gone with it and its children,
however they end. Needs root or user namespaces; where neither is to be had the test is skipped.
"""

import ctypes
import os
import subprocess
import unittest

NEW_MOUNTS = 0x00020000  # CLONE_NEWNS
NEW_USERS = 0x10000000   # CLONE_NEWUSER

_libc = ctypes.CDLL(None, use_errno=True)
_entered = False


def _unshare(flags):
    if _libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _enter():
    """Once a process, and before its first thread."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _unshare(NEW_MOUNTS)
    else:
        _unshare(NEW_MOUNTS | NEW_USERS)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                           ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True, capture_output=True)


def enter_or_skip():
    """For setUpModule: later there are threads."""
    global _entered
    try:
        if not _entered:
            _enter()
            _entered = True
    except (OSError, subprocess.CalledProcessError) as error:
        raise unittest.SkipTest(f"no file system can be mounted here: {error}") from None


class SmallDisk:
    def __init__(self, test, path, size):
        """REQUIRES: enter_or_skip() was called."""
        self.path = path
        path.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)],
                              capture_output=True, text=True)
        if made.returncode != 0:
            test.skipTest(f"a tmpfs can't be mounted here: {made.stderr.strip()}")
        test.addCleanup(self._unmount)

    def _unmount(self):
        if subprocess.run(["umount", str(self.path)], capture_output=True).returncode != 0:
            subprocess.run(["umount", "-l", str(self.path)], capture_output=True)

    def fill(self, leave=0):
        """Takes all space but so many bytes."""
        with open(self.path / "filling", "ab", buffering=0) as file:
            while (size := self.free_bytes() - leave) > 0:
                try:
                    file.write(bytes(min(size, 1 << 20)))
                except OSError:
                    return

    def free(self):
        (self.path / "filling").unlink()

    def grow(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.path)], check=True)

    def free_bytes(self):
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize
