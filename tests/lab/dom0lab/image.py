# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dom0 image: a Debian with Xen, made once per release and kept in the cache under a hash of what goes into it."""

from __future__ import annotations

import gzip
import io
import json
import os
import secrets
import shlex
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import apt
from .errors import LabError
from .places import LAB_ROOT, cache_root, digest, folder_parts
from .with_parent import with_parent

IMAGE_FILES = LAB_ROOT / "image"
RELEASES = ("bullseye", "bookworm", "trixie")
DISK_SIZE = "4G"
PACKAGES = (
    "xen-system-amd64",
    "linux-image-amd64",
    "initramfs-tools",
    "systemd-sysv",
    "openssh-server",
    "sudo",
    "python3",
    "python3-pyxs",
    "python3-paramiko",
    "python3-zstandard",
    "python3-apt",
    "iproute2",
    "bridge-utils",
    "busybox-static",
    "udev",
    "kmod",
    "procps",
    "ethtool",
    "iputils-ping",
    "e2fsprogs",
    "dmsetup",
    "dbus",
)
NOT_IN = {"bullseye": {"python3-zstandard"}}
# What HVM guests need beside it: QEMU as Xen's device model.
DEVICE_MODEL = {"bullseye": "qemu-system-x86", "bookworm": "qemu-system-xen", "trixie": "qemu-system-xen"}
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")

# Runs as root, or under fakeroot, with the finished tree as a tar archive on its standard input.
UNPACK = """set -eu
mkdir tree
tar -x --numeric-owner -C tree
tar -x -C tree -f final.tar
echo dom0 > tree/etc/hostname
# An empty machine id means first boot, and a first boot switches xendomains on again. Each host gets its own
# on the kernel's command line.
echo 0123456789abcdef0123456789abcdef > tree/etc/machine-id
cp tree/boot/xen-*.gz xen.gz
cp tree/boot/vmlinuz-* vmlinuz
cp tree/boot/initrd.img-* initrd.img
cp tree/bin/busybox busybox
mkdir modules
find tree/lib/modules/ -name 'xen-netfront.ko*' -o -name 'xen-blkfront.ko*' > front
while read -r name; do cp "$name" modules/; done < front
rm front
grep -A 8 -E '^Package: (xen-hypervisor|linux-image|python3-pyxs)' tree/var/lib/dpkg/status \
    | sed -n -E 's/^(Package|Version): //p' | paste - - > versions
mke2fs -q -t ext4 -L dom0 -d tree root.img "$SIZE"
rm -rf tree
"""


@dataclass(frozen=True)
class Image:
    """A finished image folder of the cache."""

    folder: Path
    release: str

    @property
    def disk(self) -> Path:
        return self.folder / "root.img"

    @property
    def key(self) -> Path:
        """Private key that opens root and the operators on every host of this image."""
        return self.folder / "id_lab"

    @property
    def host_key(self) -> str:
        """The hosts' public ssh key: type and key, as in a known_hosts line."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    @property
    def operator_password(self) -> str:
        return (self.folder / "operator-password").read_text().strip()


def packages(release: str, hvm: bool = False) -> list[str]:
    """The packages of an image; ``hvm``: one that can run HVM guests."""
    more = (DEVICE_MODEL[release],) if hvm else ()
    return [name for name in (*PACKAGES, *more) if name not in NOT_IN.get(release, set())]


def image_key(release: str, hvm: bool = False) -> str:
    """Hash of everything of ours that goes into the image; not of the archive's state on a day."""
    return digest([release, DISK_SIZE, UNPACK, *packages(release, hvm), *LEFT_OUT, *folder_parts(IMAGE_FILES)])


def find(release: str, hvm: bool = False) -> Image | None:
    """The image, if it is in the cache and complete (a build ends with a rename)."""
    folder = cache_root() / f"image-{release}-{image_key(release, hvm)}"
    return Image(folder, release) if folder.is_dir() else None


@contextmanager
def building(name: str) -> Iterator[Path]:
    """A folder of the cache that takes its name only when the block ends well, and is removed when it does not."""
    work = cache_root() / f".building-{name}-{os.getpid()}"
    cache_root().mkdir(parents=True, exist_ok=True)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        yield work
        target = cache_root() / name
        if target.exists():
            shutil.rmtree(target)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def overlay(folder: Path, extra: dict[str, tuple[int, bytes]] | None = None) -> bytes:
    """A tar archive of a folder's files, owned by root, folders left alone; ``extra`` adds files (mode, content)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        files = {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file()}
        made: dict[str, tuple[int, bytes]] = {}
        for name, path in files.items():
            made[name] = (0o755 if os.access(path, os.X_OK) else 0o644, path.read_bytes())
        made.update(extra or {})
        for name, (mode, data) in made.items():
            info = tarfile.TarInfo("./" + name)
            info.mode, info.size = mode, len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _make_keys(work: Path) -> dict[str, tuple[int, bytes]]:
    """Keys and the operator's password: made in the work folder; returned are the parts that go into the image."""
    for name in ("id_lab", "peer", "host_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"dom0-xen-lab-{name}", "-f", str(work / name)],
            check=True,
        )
    password = secrets.token_hex(8)
    (work / "operator-password").write_text(password + "\n")
    host_key = " ".join((work / "host_key.pub").read_text().split()[:2])
    names = "xen1,xen2,xen3,xen4,10.77.0.1,10.77.0.2,10.77.0.3,10.77.0.4,localhost,127.0.0.1"
    files = {
        "root/.ssh/authorized_keys": (0o600, (work / "id_lab.pub").read_bytes()),
        "root/.ssh/id_ed25519": (0o600, (work / "peer").read_bytes()),
        "root/.ssh/id_ed25519.pub": (0o644, (work / "peer.pub").read_bytes()),
        "root/operator-password": (0o600, f"operator:{password}\n".encode()),
        "etc/ssh/ssh_known_hosts": (0o644, f"{names} {host_key}\n".encode()),
        "etc/ssh/ssh_host_ed25519_key": (0o600, (work / "host_key").read_bytes()),
        "etc/ssh/ssh_host_ed25519_key.pub": (0o644, (work / "host_key.pub").read_bytes()),
    }
    for name in ("peer", "peer.pub", "host_key"):
        (work / name).unlink()
    return files


def mmdebstrap_command(release: str, hvm: bool, sources: Path, settings: list[str]) -> list[str]:
    """The whole line; the two archives and setup.sh lie in the folder it runs in."""
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--architectures=amd64"]
    command += [f"--aptopt={setting}" for setting in settings]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    if apt.KEYRING.exists():
        command.append(f"--keyring={apt.KEYRING}")
    command += [
        "--include=" + ",".join(packages(release, hvm)),
        "--essential-hook=tar-in early.tar /",
        "--customize-hook=tar-in late.tar /",
        "--customize-hook=upload setup.sh /root/setup.sh",
        '--customize-hook=chroot "$1" sh /root/setup.sh',
        '--customize-hook=rm "$1/root/setup.sh"',
        "--format=tar",
        release,
        "-",
        str(sources),
    ]
    return command


def _run_build(work: Path, release: str, hvm: bool) -> None:
    lines = apt.debian_sources(apt.machine_sources(), apt.codename(), release)
    sources = work / "sources.list"
    sources.write_text("\n".join(lines) + "\n")
    log_path = work / "build.log"
    as_root = [] if os.geteuid() == 0 else ["fakeroot", "--"]
    with log_path.open("wb") as log:
        make = subprocess.Popen(
            with_parent("TERM", mmdebstrap_command(release, hvm, sources, apt.machine_settings())),
            cwd=work, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": "/var/tmp"},
        )  # fmt: skip
        try:
            unpack = subprocess.run(
                with_parent("TERM", [*as_root, "sh", "-c", UNPACK]),
                cwd=work, stdin=make.stdout, stdout=log, stderr=log,
                env={**os.environ, "SIZE": DISK_SIZE, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}, check=False,
            )  # fmt: skip
        except BaseException:
            make.terminate()
            make.wait()
            raise
        if make.stdout:
            make.stdout.close()
        made = make.wait()
    if made or unpack.returncode:
        tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-25:])
        raise LabError(
            f"the image for {release} could not be built (mmdebstrap {made}, unpacking {unpack.returncode}):\n{tail}",
            "Packages come from this machine's own apt sources: does `apt-get update` work here?",
        )


def build(release: str, tell: Callable[[str], None] = print, hvm: bool = False) -> Image:
    """Make the image, or return the one in the cache. Takes a minute or two and needs the machine's apt mirror."""
    if release not in RELEASES:
        raise LabError(f"no image for release {release!r}", f"Known are {', '.join(RELEASES)}")
    found = find(release, hvm)
    if found:
        return found
    started = time.monotonic()
    tell(f"building the dom0 image ({release}), about two minutes ...")
    with building(f"image-{release}-{image_key(release, hvm)}") as work:
        extra = _make_keys(work)
        (work / "early.tar").write_bytes(overlay(IMAGE_FILES / "early"))
        (work / "late.tar").write_bytes(overlay(IMAGE_FILES / "late", extra))
        (work / "final.tar").write_bytes(overlay(IMAGE_FILES / "final"))
        shutil.copy(IMAGE_FILES / "setup.sh", work / "setup.sh")
        _run_build(work, release, hvm)
        (work / "xen").write_bytes(gzip.decompress((work / "xen.gz").read_bytes()))
        for name in ("xen.gz", "early.tar", "late.tar", "final.tar", "setup.sh", "sources.list"):
            (work / name).unlink()
        for path in work.iterdir():
            if path.is_file() and path.name not in ("id_lab", "operator-password"):
                path.chmod(0o644)
        seconds = time.monotonic() - started
        (work / "build.json").write_text(json.dumps({"release": release, "build_s": round(seconds, 1)}) + "\n")
    tell(f"image ready after {seconds:.0f} s")
    found = find(release, hvm)
    if not found:
        raise LabError(f"the image for {release} vanished from {shlex.quote(str(cache_root()))}")
    return found
