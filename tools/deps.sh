#!/bin/bash
# Sees to what Chronus needs from the system.   usage: tools/deps.sh install|check build|run|test|lint|bench ...
#
# `install` installs what is missing with apt-get (through sudo when not root); on other systems, and for `check`, it names the packages
# and ends with status 1. With nothing missing it prints nothing and touches nothing.
set -eu

mode=$1
shift
sets=" $* "
read -ra cc <<<"${CC:-cc}" # a command, perhaps with words of its own, as in `ccache cc`

# set | what to look for | Debian, Ubuntu | Fedora | Arch.  c:X = the command X, h:X = the C header X, f:X = a file that matches X,
# s:X = what clang needs for -fsanitize=X
needs='
build | c:make                   | make                | make                                     | make
build | c:gcc                    | gcc libc6-dev       | gcc glibc-devel                          | gcc
build | h:jack/jack.h            | libjack-jackd2-dev  | jack-audio-connection-kit-devel          | jack2
build | h:lo/lo.h                | liblo-dev           | liblo-devel                              | liblo
build | h:libconfig.h            | libconfig-dev       | libconfig-devel                          | libconfig
build | h:jansson.h              | libjansson-dev      | jansson-devel                            | jansson
run   | c:jackd                  | jackd2              | jack-audio-connection-kit                | jack2
test  | c:pkg-config             | pkg-config          | pkgconf-pkg-config                       | pkgconf
test  | h:check.h                | check               | check-devel                              | check
test  | c:pipewire               | pipewire            | pipewire                                 | pipewire
test  | c:pw-cli                 | pipewire-bin        | pipewire-utils                           | pipewire
test  | c:pw-jack                | pipewire-jack       | pipewire-jack-audio-connection-kit       | pipewire-jack
test  | c:wireplumber            | wireplumber         | wireplumber                              | wireplumber
test  | c:dbus-daemon            | dbus                | dbus-daemon                              | dbus
bench | c:scsynth                | supercollider-server | supercollider                           | supercollider
bench | c:supernova              | supercollider-supernova | supercollider                        | supercollider
lint  | c:clang-format           | clang-format        | clang-tools-extra                        | clang
lint  | c:clang-tidy             | clang-tidy          | clang-tools-extra                        | clang
lint  | c:cppcheck               | cppcheck            | cppcheck                                 | cppcheck
fuzz  | s:fuzzer,address         | clang libclang-rt-dev | clang compiler-rt                      | clang compiler-rt
'

has_header() {
	echo "#include <$1>" | "${cc[@]}" -E -x c - >/dev/null 2>&1
}

has() {
	case $1 in
	c:gcc) command -v "${cc[0]}" && echo '#include <stdio.h>' | "${cc[@]}" -E -x c - ;;
	c:*) command -v "${1#c:}" ;;
	h:*) has_header "${1#h:}" ;;
	f:*) compgen -G "${1#f:}" ;;
	s:*) command -v clang && echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -fsanitize="${1#s:}" -x c -o /dev/null - ;;
	esac >/dev/null 2>&1
}

distro() {
	local id=""
	[ -r /etc/os-release ] && id=$(. /etc/os-release && echo " ${ID:-} ${ID_LIKE:-} ")
	case $id in
	*" debian "* | *" ubuntu "*) echo debian ;;
	*" fedora "* | *" rhel "*) echo fedora ;;
	*" arch "*) echo arch ;;
	*) command -v apt-get >/dev/null 2>&1 && echo debian || echo other ;;
	esac
}

# Fast path: one run of the preprocessor tells that all headers are there.
headers=$(while IFS='|' read -r set look _; do
	[[ $sets == *" ${set// /} "* && ${look// /} == h:* ]] && { look=${look// /}; echo "#include <${look#h:}>"; }
done <<<"$needs" || true)
all_headers=0
printf '%s\n' '#include <stdio.h>' "$headers" | "${cc[@]}" -E -x c - >/dev/null 2>&1 && all_headers=1

system=$(distro)
missing=() packages=()
while IFS='|' read -r set look debian fedora arch; do
	set=${set// /} look=${look// /}
	[[ -n $set && $sets == *" $set "* ]] || continue
	((all_headers)) && [[ $look == h:* ]] && continue
	has "$look" && continue
	missing+=("${look#?:}")
	case $system in
	fedora) packages+=($fedora) ;;
	arch) packages+=($arch) ;;
	*) packages+=($debian) ;;
	esac
done <<<"$needs"
((${#missing[@]})) || exit 0

case $system in
debian) command="apt-get install ${packages[*]}" ;;
fedora) command="dnf install ${packages[*]}" ;;
arch) command="pacman -S ${packages[*]}" ;;
*) command="" ;;
esac

if [ "$system" != debian ] || [ "$mode" != install ]; then
	echo "chronus: missing: ${missing[*]}" >&2
	if [ -n "$command" ]; then
		echo "chronus: install with: $command" >&2
	else
		echo "chronus: on Debian these are the packages: ${packages[*]}" >&2
	fi
	exit 1
fi

as_root=()
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "chronus: missing: ${missing[*]}; as root: $command" >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "chronus: installing ${packages[*]}" >&2
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" </dev/null
}
# The lists may be absent or old: fetch them only when the packages cannot be had without.
if ! apt install -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1; then
	apt update
	apt install -y --no-install-recommends "${packages[@]}" >/dev/null
fi
