# bash completion for chronusctl. What can follow comes from chronusctl itself, which asks the running chronus for names.

_chronusctl()
{
	local IFS=$'\n'
	# Readline takes "=" and ":" for breaks between words; chronusctl has no use for them there.
	local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
	COMPREPLY=($("${COMP_WORDS[0]}" complete "${words[@]}" 2>/dev/null))
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
