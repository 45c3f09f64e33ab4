#!/usr/bin/env bash
# Runs a command as root of a container that refuses namespaces, with the capabilities that containers
# usually have. The Rust toolchain is in /mnt. Ends with 77 where that can't be had.
#
#   tests/course/container.sh COMMAND ...
set -euo pipefail
toolchain=$(rustc --print sysroot)
kept=chown,dac_override,fsetid,fowner,mknod,net_raw,setgid,setuid,setfcap,setpcap
kept=$kept,net_bind_service,sys_chroot,kill,audit_write
within() {
    echo 0 >/proc/sys/user/max_user_namespaces || exit 77
    if unshare --user true 2>/dev/null; then exit 77; fi
    mount --bind "$toolchain" /mnt || exit 77
    # IFF_UP and IFF_LOOPBACK.
    mount -t sysfs sysfs /sys && echo 0x9 >/sys/class/net/lo/flags || exit 77
    unset CARGO CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN
    export PATH=/mnt/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    exec setpriv --inh-caps=-all --bounding-set="-all,+${kept//,/,+}" -- "$@"
}
export toolchain kept
export -f within
[ "$(id -u)" = 0 ] || exit 77
# Its users are the system's, so that nobody is there, too: only root outside can say that.
exec 3>&1 4>&2
coproc outer {
    exec unshare --user -- bash -c 'echo there; read -r _
        exec setpriv --reuid=0 --regid=0 --clear-groups -- \
            unshare --mount --net --pid --fork --kill-child --mount-proc -- \
            bash -c "within \"\$@\"" bash "$@" </dev/null >&3 2>&4 3>&- 4>&-' bash "$@"
}
pid=$outer_PID
read -r _ <&"${outer[0]}" || exit 77
{ echo "0 0 65536" >"/proc/$pid/uid_map" && echo "0 0 65536" >"/proc/$pid/gid_map"; } 2>/dev/null || exit 77
echo >&"${outer[1]}"
wait "$pid"
