#!/bin/sh
# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs once inside the new image, as root: users, services, what costs time on an emulated processor.
set -eu
for user in operator operator-nopass; do
    useradd --no-user-group --gid users --create-home --shell /bin/bash "$user"
    install -d -m 0700 -o "$user" -g users "/home/$user/.ssh"
    install -m 0600 -o "$user" -g users /root/.ssh/authorized_keys "/home/$user/.ssh/authorized_keys"
done
# the peer key opens root only: plain `xl migrate` goes over ssh from one dom0 to the other
cat /root/.ssh/id_ed25519.pub >> /root/.ssh/authorized_keys
chpasswd < /root/operator-password
rm -f /root/operator-password
find /etc/ssh -name 'ssh_host_*' ! -name 'ssh_host_ed25519_key*' -delete
systemctl disable xendomains.service
systemctl enable lab.service ssh.service
# After a snapshot is loaded the clock leaps forward and every timer would fire at once.
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer systemd-tmpfiles-clean.timer
# What nobody needs here; the devices are known from the initrd, asking for each again takes 20 s.
systemctl mask getty@tty1.service serial-getty@hvc0.service systemd-pstore.service systemd-udev-trigger.service \
    systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-update-utmp.service modprobe@drm.service \
    modprobe@configfs.service modprobe@fuse.service modprobe@dm_mod.service modprobe@loop.service \
    modprobe@efi_pstore.service sys-kernel-debug.mount sys-kernel-tracing.mount dev-mqueue.mount dev-hugepages.mount
mkdir -p /srv/lab
ln -s /srv/lab/centos.cfg /etc/xen/centos.cfg
