# SPDX-License-Identifier: BSD-2-Clause
# Completion of skep for bash.

_skep() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
	COMPREPLY=()
	compopt +o default
	if [ "$COMP_CWORD" = 1 ] || [ "$command" = help ]; then
		COMPREPLY=($(compgen -W "exec verify explain run ps asm disasm filter seccomp help --version --help" -- "$cur"))
		return
	fi
	case $prev in
	--on)
		COMPREPLY=($(compgen -W "skep kernel both" -- "$cur"))
		return ;;
	--pcap | --out | --raw | -o | --output | -f | --file | --asm | --diff)
		compopt -o filenames
		COMPREPLY=($(compgen -f -- "$cur"))
		return ;;
	-y | --link)
		COMPREPLY=($(compgen -W "EN10MB RAW LINUX_SLL LINUX_SLL2 NULL PPP IEEE802_11" -- "$cur"))
		return ;;
	--prog | --data | --ctx | --mem | --repeat | --entries | --fill | --type | --section | --explain | --pid | --index)
		return ;;
	esac
	if [ "${cur#-}" = "$cur" ]; then
		compopt -o filenames
		COMPREPLY=($(compgen -f -- "$cur"))
		return
	fi
	case $command in
	run)
		COMPREPLY=($(compgen -W "--name= --join= --keep --end= --log --net --capture= --wire= --own-user --help" -- "$cur")) ;;
	exec)
		COMPREPLY=($(compgen -W "--prog --pcap --out --data --ctx --repeat --on --jit --interp
			--checked --trust --fill --maps --entries --type --raw --mem --json --verbose --help" -- "$cur")) ;;
	verify)
		COMPREPLY=($(compgen -W "--prog --on --verbose --json --help" -- "$cur")) ;;
	explain)
		COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
	asm)
		COMPREPLY=($(compgen -W "--output --hex --help" -- "$cur")) ;;
	filter)
		COMPREPLY=($(compgen -W "--file --asm --link -O -d -dd -ddd --bpf --c --xt --raw --ebpf --jited --pcap
			--out --count --explain --debug --json --help" -- "$cur")) ;;
	seccomp)
		COMPREPLY=($(compgen -W "--pid --index --call --table --check --diff --arch --json --help" -- "$cur")) ;;
	disasm)
		COMPREPLY=($(compgen -W "--section --prog --kernel --no-source --json --help" -- "$cur")) ;;
	esac
}
complete -F _skep skep
