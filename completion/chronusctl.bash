# bash completion for chronusctl. What can follow comes from chronusctl itself, which asks the running chronus for names.

_chronusctl()
{
	local IFS=$'\n' words=() word
	# Readline takes ":" for a break between words; to chronusctl it is a part of a port's name.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if ((${#words[@]})) && [[ $word == :* || ${words[-1]} == *: ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
	done
	COMPREPLY=($("${COMP_WORDS[0]}" complete "${words[@]}" 2>/dev/null))
	# Readline replaces what stands after the break alone.
	[[ ${words[-1]-} == *:* ]] && COMPREPLY=("${COMPREPLY[@]#"${words[-1]%:*}:"}")
	if [[ ${words[0]-} == swap && ${#words[@]} -eq 3 ]]; then
		COMPREPLY=($(compgen -f -X '!*.so' -- "${words[2]}") $(compgen -d -S / -- "${words[2]}"))
		compopt -o filenames 2>/dev/null
	elif [[ ${words[0]-} == @(save|load) && ${#words[@]} -eq 2 ]]; then
		COMPREPLY=($(compgen -f -- "${words[1]}"))
		compopt -o filenames 2>/dev/null
	fi
	# After a module, a slash and a parameter may follow.
	if [[ ${words[0]-} == get && ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} != */* && ${COMPREPLY[0]} != -* ]]; then
		compopt -o nospace 2>/dev/null
	fi
}
complete -F _chronusctl chronusctl
