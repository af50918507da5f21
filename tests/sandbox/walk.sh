# The classic walk through BPF, in the sandbox and on a real kernel: what it prints is compared.
# $1: walk.bpf.o  $2: walk_raw  $3: walk_app  $4: a directory to write to. eth0 leads to 10.77.0.1.
exec 2>&1
B=/sys/fs/bpf/skep-walk
mkdir $B
say() { echo "== $*"; }

say a program by raw bpf
$2 hold 'bpftool prog show name test; bpftool prog dump xlated name test'
say a map by raw bpf
$2 hold 'bpftool map show name four
	bpftool map dump name four | sort
	bpftool map update name four key 1 0 0 0 value 99 0 0 0 0 0 0 0
	bpftool map lookup name four key 1 0 0 0
	bpftool map update name four key 9 0 0 0 value 0 0 0 0 0 0 0 0
	bpftool map delete name four key 3 0 0 0
	bpftool map lookup name four key 3 0 0 0'
say they are gone
bpftool prog show name test
say load and pin
bpftool prog load $1 $B/test
bpftool prog show pinned $B/test
ls $B
id=$(bpftool prog show pinned $B/test | sed 's/:.*//;q')
say remove
rm $B/test
sleep 0.1
bpftool prog show id $id
say skeleton
bpftool gen skeleton $1 | grep -c 'struct walk_bpf'
say an application by skeleton
(until [ -e $4/done ]; do sleep 0.05; done) | $3 eth0 >$4/app &
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do grep -q attached $4/app && break; sleep 0.2; done
cat $4/app
ip link show dev eth0
bpftool net show dev eth0
timeout 10 head -n 2 /sys/kernel/tracing/trace_pipe >$4/trace &
trace=$!
sleep 0.2
ping -c 3 -i 0.2 -W 1 10.77.0.1 | grep -o '[0-9] received'
wait $trace
sed 's/.*bpf_trace_printk/bpf_trace_printk/' $4/trace
bpftool -j map dump name woo
echo
touch $4/done
wait
say it has ended
ip link show dev eth0 | grep -c xdp
bpftool map show name woo
say without a library
$2 attach eth0
ip link show dev eth0
$2 detach eth0
ip link show dev eth0 | grep -c xdp
rmdir $B
