# Requests by netlink and what they answer, in the sandbox and on a real kernel: the outputs are compared.
# $1: attach.bpf.o. eth0 is there.
exec 2>&1
B=/sys/fs/bpf/skep-netlink
mkdir $B
try() {
	echo "== $*"
	"$@"
	echo "status $?"
}

bpftool prog loadall $1 $B/all >/dev/null
say=$(ls $B/all | head -3)
echo $say

try ip link set dev eth0 xdpgeneric pinned $B/all/xdp_one
try ip link show dev eth0
try ip link set dev eth0 xdpgeneric pinned $B/all/xdp_two
try ip -force link set dev eth0 xdpgeneric pinned $B/all/xdp_two
try ip link show dev eth0
try ip -force link set dev eth0 xdpdrv pinned $B/all/xdp_one
try ip link set dev eth0 xdp off
try ip link show dev eth0
try ip link set dev eth0 xdpgeneric off
try ip link set dev eth0 xdpgeneric off
try ip link set dev eth0 xdp pinned $B/all/xdp_one
try ip link show dev eth0
try ip -force link set dev eth0 xdpgeneric pinned $B/all/xdp_one
try ip link set dev eth0 xdp off
try ip link set dev eth0 xdpoffload pinned $B/all/xdp_one
try ip link set dev eth0 xdp pinned $B/all/tc_two
try ip link set dev nosuch xdp off
try ip link show dev eth0
try bpftool net attach xdpgeneric pinned $B/all/xdp_one dev eth0
try bpftool net attach xdpgeneric pinned $B/all/xdp_two dev eth0
try bpftool net attach xdpgeneric pinned $B/all/xdp_two dev eth0 overwrite
try bpftool net
try bpftool net detach xdpgeneric dev eth0
try bpftool net detach xdpgeneric dev eth0

try tc filter add dev eth0 ingress bpf da pinned $B/all/tc_two
try tc filter show dev eth0 ingress
try tc qdisc del dev eth0 clsact
try tc qdisc add dev eth0 clsact
try tc qdisc add dev eth0 clsact
try tc qdisc replace dev eth0 clsact
try tc qdisc show dev eth0 clsact
try tc filter add dev eth0 ingress bpf da pinned $B/all/tc_two
try tc filter add dev eth0 ingress bpf da pinned $B/all/tc_one
try tc filter add dev eth0 ingress prio 5 bpf da pinned $B/all/tc_one
try tc filter add dev eth0 ingress prio 5 handle 7 bpf pinned $B/all/tc_one classid 1:9
try tc filter add dev eth0 ingress prio 5 handle 7 bpf da pinned $B/all/tc_one
try tc filter add dev eth0 ingress protocol ip prio 5 bpf da pinned $B/all/tc_one
try tc filter add dev eth0 egress protocol ip prio 9 bpf da pinned $B/all/tc_one
try tc filter show dev eth0 ingress
try tc filter show dev eth0 egress
try tc filter replace dev eth0 ingress prio 5 handle 7 bpf da pinned $B/all/tc_two
try tc filter change dev eth0 ingress prio 5 handle 8 bpf da pinned $B/all/tc_two
try tc filter show dev eth0 ingress
try tc filter del dev eth0 ingress prio 5 handle 9 bpf
try tc filter del dev eth0 ingress prio 4 handle 1 bpf
try tc filter del dev eth0 ingress prio 5 handle 7 bpf
try tc filter del dev eth0 ingress prio 6
try tc filter del dev eth0 ingress prio 5
try tc filter add dev eth0 ingress bpf da pinned $B/all/xdp_one
try bpftool net
try tc filter show dev eth0 ingress
try tc filter del dev eth0 ingress
try tc filter show dev eth0 ingress
try tc filter del dev eth0 egress
try tc qdisc del dev eth0 clsact
try tc qdisc del dev eth0 clsact
try tc filter show dev eth0 egress
rm -r $B
