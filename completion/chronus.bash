# bash completion for chronus: its options and the patch files.

_chronus()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
	--rate) COMPREPLY=($(compgen -W '44100 48000 88200 96000' -- "$word")) ;;
	--period) COMPREPLY=($(compgen -W '32 64 128 256 512 1024' -- "$word")) ;;
	--cpu-latency) COMPREPLY=($(compgen -W 'auto off 0 10' -- "$word")) ;;
	--server | --device | --host | --port) COMPREPLY=() ;;
	*)
		if [[ $word == -* ]]; then
			COMPREPLY=($(compgen -W '--check --server --device --rate --period --host --port --no-jack-start --watch
				--cpu-latency --verbose --quiet --help --version' -- "$word"))
		else
			COMPREPLY=($(compgen -f -X '!*.cfg' -- "$word") $(compgen -d -S / -- "$word"))
			compopt -o filenames 2>/dev/null
		fi
		;;
	esac
}
complete -F _chronus chronus
