#!/usr/bin/env bash
# Makes a kind node out of Debian's packages and kind's base files. Runs once, inside the build of the image.
set -euo pipefail

chmod 755 /kind /kind/bin /kind/bin/* /usr/local/bin/*
rm -f /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service /lib/systemd/system/multi-user.target.wants/* \
  /etc/systemd/system/*.wants/* /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/sockets.target.wants/*{udev,initctl}* \
  /lib/systemd/system/basic.target.wants/* /etc/systemd/system/containerd-fuse-overlayfs.service
echo ReadKMsg=no >>/etc/systemd/journald.conf

# Debian's containerd lies elsewhere; an oom score below 0 is not ours to give.
sed -i -e 's#/usr/local/bin/containerd#/usr/bin/containerd#' -e '/OOMScoreAdjust/d' /etc/systemd/system/containerd.service
sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml
ctr oci spec | jq '.hooks.createContainer += [{path: "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' >/etc/containerd/cri-base.json
systemctl enable kubelet.service containerd.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service

mkdir -p /etc/kubernetes/manifests /opt/cni/bin /kind/manifests /lib/modules
ln -s /usr/lib/cni/* /opt/cni/bin/
# kind applies this one by itself; the network of the one node stands in /etc/cni/net.d.
: >/kind/manifests/default-cni.yaml
